"""``enrolment-secret`` and ``token``: who may enrol, who may read, who may change.

What is made is printed once, alone on its line, so that a script can take it. It is stored
hashed: it cannot be shown again, only revoked.
"""

from collections.abc import Sequence

import click

from server import enrolment, shown, tokens
from server.commands.common import (
    CreatesByDefault,
    check_done,
    in_json,
    reading,
    with_settings,
    writing,
)
from server.enrolment import EnrolmentSecret
from server.policy import DEFAULT_GROUP
from server.running import clock
from server.said import check_group
from server.settings import Settings
from server.shown import moment
from server.tokens import Role, Token


@click.group(cls=CreatesByDefault)
def enrolment_secret() -> None:
    """Secrets with which laptops enrol; without a command: create one."""


@enrolment_secret.command("create")
@click.option("--group", default=DEFAULT_GROUP, show_default=True, help="Group of its machines.")
@in_json
@with_settings
def create_secret(settings: Settings, group: str, *, in_json: bool) -> None:
    """Make a secret and print it: it is shown this once."""
    check_group(group)
    with writing(settings) as conn:
        secret = enrolment.create_secret(conn, group, clock())
    _print_once(secret, {"secret": secret, "group": group}, in_json=in_json)


@enrolment_secret.command("list")
@in_json
@with_settings
def list_secrets(settings: Settings, *, in_json: bool) -> None:
    """Show which secrets were made; not the secrets."""
    with reading(settings) as conn:
        made = enrolment.secrets_made(conn)
    _print_made(("group",), [(item, (item.group,)) for item in made], in_json=in_json)


@enrolment_secret.command("revoke")
@click.argument("identifier", metavar="ID")
@with_settings
def revoke_secret(settings: Settings, identifier: str) -> None:
    """End a secret; the machines that it enrolled stay."""
    with writing(settings) as conn:
        done = enrolment.revoke_secret(conn, identifier, clock())
    check_done("enrolment secret", identifier, "enrolment-secret list", done=done)


@click.group(cls=CreatesByDefault)
def token() -> None:
    """Tokens with which people and programs read or change; without a command: create one."""


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
    rows = [(item, (item.name, item.role)) for item in made]
    _print_made(("name", "role"), rows, in_json=in_json)


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


def _print_made(
    columns: tuple[str, ...],
    made: Sequence[tuple[EnrolmentSecret | Token, tuple[str, ...]]],
    *,
    in_json: bool,
) -> None:
    if in_json:
        shown.as_json([item for item, _ in made])
        return
    rows = [
        (item.id, *said, moment(item.created_at), moment(item.revoked_at)) for item, said in made
    ]
    shown.as_table(("id", *columns, "made", "revoked"), rows)
