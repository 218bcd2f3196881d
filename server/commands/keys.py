"""``enrolment-secret`` and ``token``: who may enrol, who may read, who may change.

What is made is printed once, alone on its line, so that a script can take it. It is stored
hashed: it cannot be shown again, only revoked. An enrolment secret ends by itself unless it
is told not to: one that was forgotten in a script opens nothing for ever.
"""

from typing import Any

import click
from sqlalchemy import Connection

from server import enrolment, shown, tokens
from server.commands.common import check_done, in_json, length_s, with_settings
from server.commands.database import reading, writing
from server.commands.named import named, unknown
from server.enrolment import EnrolmentSecret
from server.policy import DEFAULT_GROUP
from server.said import check_group
from server.settings import Settings
from server.shown import moment
from server.store import fleet
from server.store.machines import find
from server.surroundings import clock
from server.tokens import Role

SLICE_MAX = 50
"""Most machines that are revoked in one transaction."""


@click.group()
def enrolment_secret() -> None:
    """Make, list and end secrets with which laptops enrol."""


@enrolment_secret.command("create")
@click.option("--group", help=f"Group of its machines; {DEFAULT_GROUP} unless it is said.")
@click.option(
    "--for",
    "length",
    default="30d",
    show_default=True,
    metavar="LENGTH",
    help="How long it holds: 12h, 30d.",
)
@click.option("--no-end", is_flag=True, help="It holds until it is revoked.")
@click.option("--uses", type=click.IntRange(1, 10_000_000), help="Most machines that it enrols.")
@click.option(
    "--replaces",
    metavar="LABEL",
    help="For one laptop that takes this live machine's label; that machine then leaves.",
)
@in_json
@with_settings
def create_secret(settings: Settings, /, *, in_json: bool, **said: Any) -> None:
    """Make a secret and print it: it is shown this once."""
    if said["group"] is not None:
        check_group(said["group"])
    now = clock()
    ends_at = None if said["no_end"] else now + length_s(said["length"])
    label = said["replaces"]
    with writing(settings) as conn:
        group = said["group"] or (_group_of(conn, label) if label else DEFAULT_GROUP)
        uses_max = 1 if label else said["uses"]
        secret = enrolment.create_secret(
            conn, group, now, ends_at=ends_at, uses_max=uses_max, replaces=label
        )
    _print_once(secret, {"secret": secret, "group": group}, in_json=in_json)


@enrolment_secret.command("list")
@in_json
@with_settings
def list_secrets(settings: Settings, *, in_json: bool) -> None:
    """Show which secrets were made; not the secrets."""
    with reading(settings) as conn:
        made = enrolment.secrets_made(conn)
    if in_json:
        shown.as_json(made)
        return
    columns = ("id", "group", "made", "revoked", "ends", "uses", "last used", "replaces")
    shown.as_table(columns, map(_secret_row, made))


@enrolment_secret.command("revoke")
@click.argument("identifier", metavar="ID")
@click.option("--machines", "also_machines", is_flag=True, help="And every machine it enrolled.")
@with_settings
def revoke_secret(settings: Settings, identifier: str, *, also_machines: bool) -> None:
    """End a secret.

    The machines that it enrolled stay, unless they are to end with it.
    """
    with writing(settings) as conn:
        done = enrolment.revoke_secret(conn, identifier, clock())
    # One that was revoked before may have its machines ended later.
    ended = _end_machines(settings, identifier) if also_machines else 0
    check_done("enrolment secret", identifier, "enrolment-secret list", done=done or ended > 0)
    if also_machines:
        click.echo(f"the tokens of {ended} machines have ended", err=True)


def _end_machines(settings: Settings, identifier: str) -> int:
    ended = 0
    while True:
        # Each slice is a transaction of its own: check-ins go on in between.
        with writing(settings) as conn:
            number = fleet.leave_all(conn, identifier, clock(), SLICE_MAX)
        ended += number
        if number < SLICE_MAX:
            return ended


def _group_of(conn: Connection, label: str) -> str:
    machine = find(conn, named(conn, label))
    if machine is None or machine.label != label or machine.left_at is not None:
        raise unknown(label)
    return machine.group


def _secret_row(item: EnrolmentSecret) -> tuple[object, ...]:
    uses = item.uses if item.uses_max is None else f"{item.uses} of {item.uses_max}"
    return (
        item.id,
        item.group,
        moment(item.created_at),
        moment(item.revoked_at),
        moment(item.ends_at),
        uses,
        moment(item.last_used_at),
        item.replaces,
    )


@click.group()
def token() -> None:
    """Make, list and end tokens for people and programs."""


@token.command("create")
@click.argument("name", required=False)
@click.option("--operator", is_flag=True, help="It may also change; NAME signs what it changes.")
@in_json
@with_settings
def create_token(settings: Settings, name: str | None, *, operator: bool, in_json: bool) -> None:
    """Make a token and print it: it is shown this once. NAME says whose it is."""
    if operator and name is None:
        raise click.UsageError("say whose token it is: NAME signs what is changed with it")
    role: Role = "operator" if operator else "viewer"
    whose = name or role
    with writing(settings) as conn:
        made = tokens.create(conn, whose, role, clock())
    _print_once(made, {"token": made, "name": whose, "role": role}, in_json=in_json)


@token.command("list")
@in_json
@with_settings
def list_tokens(settings: Settings, *, in_json: bool) -> None:
    """Show which tokens were made; not the tokens."""
    with reading(settings) as conn:
        made = tokens.made(conn)
    if in_json:
        shown.as_json(made)
        return
    rows = [
        (item.id, item.name, item.role, moment(item.created_at), moment(item.revoked_at))
        for item in made
    ]
    shown.as_table(("id", "name", "role", "made", "revoked"), rows)


@token.command("revoke")
@click.argument("identifier", metavar="ID")
@with_settings
def revoke_token(settings: Settings, identifier: str) -> None:
    """End a token."""
    with writing(settings) as conn:
        done = tokens.revoke(conn, identifier, clock())
    check_done("token", identifier, "token list", done=done)


def _print_once(secret: str, value: dict[str, str], *, in_json: bool) -> None:
    if in_json:
        shown.as_json(value)
    else:
        click.echo(secret)
    click.echo("keep it: it is stored hashed and cannot be shown again", err=True)
