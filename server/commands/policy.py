"""``policy``: what is expected of each group, and what another file would change.

``check`` needs nothing but the file. The others read the database, beside a running server or
without one: what is in force there is the latest load that was not refused.
"""

import sys
import tomllib
from pathlib import Path

import click
from sqlalchemy import Connection

from server import policy_diff, policy_file, shown
from server.commands.common import PATH, in_json, with_settings
from server.commands.database import reading
from server.commands.known import current_of
from server.current import Current
from server.enrolment import secrets_made
from server.policy_diff import Change, Twice
from server.policy_doubts import doubts, empty_groups
from server.policy_file import PolicyError
from server.policy_text import table, text_of
from server.policy_watch import read_bytes
from server.settings import Settings
from server.shown import moment
from server.store import counts, policies, preview
from server.store.policies import Load
from server.surroundings import clock

LOADS_SHOWN = 50
"""How many loads are shown: the newest ones."""

_file = click.argument("path", metavar="FILE", type=PATH)


@click.group()
def policy() -> None:
    """What each group of machines is expected to run."""


@policy.command()
@_file
def check(path: Path) -> None:
    """Tell every mistake of FILE with its line and key.

    The exit code is 1 if there is one.
    What can be used and was hardly meant is told, too, and is no mistake.
    """
    try:
        stated = policy_file.read(read_bytes(path), str(path))
    except PolicyError as error:
        for complaint in error.complaints:
            click.echo(shown.cell(f"{path}:{complaint}"))
        sys.exit(1)
    number = len(stated.groups)
    groups = "1 group of its own" if number == 1 else f"{number} groups of their own"
    click.echo(f"{shown.cell(path)}: usable; the default and {groups}")
    for doubt in doubts(stated):
        click.echo(shown.cell(f"{path}: {doubt}"), err=True)


@policy.command()
@click.option("--group", help="Only what holds for this group.")
@in_json
@with_settings
def show(settings: Settings, group: str | None, *, in_json: bool) -> None:
    """Show what is in force, written as a policy file with every key."""
    with reading(settings) as conn:
        load = policies.accepted(conn)
        stated = policies.stated(load)
        last = next(iter(policies.loads(conn, 1)), None)
    refused = last if last is not None and last.error is not None else None
    text = text_of(stated) if group is None else table(group, stated.of(group))
    if in_json:
        shown.as_json({"load": _told(load), "refused": _told(refused), **tomllib.loads(text)})
        return
    click.echo(f"# in force: {shown.cell(load.origin if load else policies.BUILT_IN)}")
    if load is not None:
        click.echo(f"# loaded: {moment(load.at)}, {load.digest}")
    click.echo(text, nl=False)
    if refused is not None:
        said = f"refused {moment(refused.at)}, so the policy before it is in force: {refused.error}"
        click.echo(shown.cell(said), err=True)


@policy.command()
@_file
@in_json
@with_settings
def diff(settings: Settings, path: Path, *, in_json: bool) -> None:
    """Tell which machines would change state if FILE were in force now.

    Groups of FILE in which no machine is are told, too.
    """
    stated = policy_file.read(read_bytes(path), str(path))
    labels_max = None if in_json else policy_diff.LABELS_MAX
    with reading(settings) as conn:
        before = current_of(conn)
        after = Current(before.ledger, stated, before.references, before.listened)
        now = clock()
        moves = preview.moves(conn, Twice(before, after, now), labels_max)
        found = policy_diff.changes(moves, labels_max)
        empty = empty_groups(stated, _peopled(conn, now))
    for doubt in empty:
        click.echo(shown.cell(f"{path}: {doubt}"), err=True)
    number = sum(each.machines for each in found)
    if in_json:
        shown.as_json({"machines": number, "changes": found})
        return
    click.echo(f"{number} machine{'' if number == 1 else 's'} would change state")
    rows = [(each.group, each.before, each.after, each.machines, _labels(each)) for each in found]
    if rows:
        shown.as_table(("group", "from", "to", "machines", "which"), rows)


@policy.command()
@in_json
@with_settings
def log(settings: Settings, *, in_json: bool) -> None:
    """Show the latest loads, also those that were refused."""
    with reading(settings) as conn:
        loads = policies.loads(conn, LOADS_SHOWN)
    if in_json:
        shown.as_json([_told(each) for each in loads])
        return
    rows = [(moment(each.at), each.origin, each.digest, each.error) for each in loads]
    shown.as_table(("loaded", "from", "digest", "refused"), rows)


def _peopled(conn: Connection, now: int) -> frozenset[str]:
    here = {group for group, standing in counts.standings(conn) if standing != "left"}
    coming = {
        each.group
        for each in secrets_made(conn)
        if each.revoked_at is None and (each.ends_at is None or each.ends_at > now)
    }
    return frozenset(here | coming)


def _labels(change: Change) -> str:
    more = change.machines - len(change.labels)
    return ", ".join(change.labels) + (f" and {more} more" if more else "")


def _told(load: Load | None) -> dict[str, object] | None:
    """A load without its body."""
    if load is None:
        return None
    return {"at": load.at, "from": load.origin, "digest": load.digest, "error": load.error}
