"""``waiver``: what a person permits one machine, for how long and why.

These commands only write down what was said. A running server stands the machine anew within
a second, by what it holds; so does the next one that starts.
"""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

import click
from sqlalchemy import Connection

from server import shown
from server.commands.common import in_json, length_s, with_settings
from server.commands.database import reading, writing
from server.commands.named import named
from server.said import refused
from server.settings import Settings
from server.shown import moment
from server.store import waivers
from server.surroundings import clock
from server.views.api import facts
from server.views.expected import GivenWaiver
from server.waivers import Waiver


@click.group()
def waiver() -> None:
    """Permissions for one machine to differ.

    Each ends by itself.
    """


@waiver.command()
@click.argument("machine", metavar="ID|LABEL")
@click.option("--code", required=True, help="The rule whose findings are permitted.")
@click.option("--subject", help="Only findings about this; without it all of the rule's.")
@click.option("--reason", required=True, help="Why, on one line.")
@click.option("--person", required=True, help="Who permits it.")
@click.option("--for", "length", metavar="LENGTH", help="How long: 12h, 14d; 90 days at most.")
@click.option("--until", metavar="TIME", help="Its end: a day (as it begins in UTC), or ISO 8601.")
@in_json
@with_settings
def give(settings: Settings, /, machine: str, *, in_json: bool, **said: str | None) -> None:
    """Permit a machine to differ."""
    now = clock()
    asked = Waiver(
        id=secrets.token_hex(4),
        code=said["code"] or "",
        subject=said["subject"],
        reason=said["reason"] or "",
        person=said["person"] or "",
        since=now,
        until=_end(said["length"], said["until"], now),
    )
    with writing(settings) as conn:
        given = facts.given(waivers.give(conn, named(conn, machine), asked), now)
    if in_json:
        shown.as_json(given)
    else:
        click.echo(f"waiver {given.id} holds for {shown.cell(given.label)} {_until(given)}")


@waiver.command("list")
@click.option("--machine", metavar="ID|LABEL", help="Only those of this machine.")
@click.option("--all", "ended", is_flag=True, help="Also those that hold no more.")
@in_json
@with_settings
def list_waivers(settings: Settings, machine: str | None, *, ended: bool, in_json: bool) -> None:
    """Show the waivers that hold, the next to end first."""
    with reading(settings) as conn:
        identifier = named(conn, machine) if machine else None
        listed = sorted(_listed(conn, identifier, ended=ended), key=lambda each: each.until)
    if in_json:
        shown.as_json(listed)
        return
    rows = [
        (item.id, item.label, item.code, item.subject, _until(item), item.person, item.reason)
        for item in listed
    ]
    shown.as_table(("waiver", "machine", "code", "subject", "end", "person", "reason"), rows)


@waiver.command()
@click.argument("identifier", metavar="ID")
@click.option("--person", required=True, help="Who ends it.")
@with_settings
def end(settings: Settings, identifier: str, person: str) -> None:
    """End a waiver before its time; it stays in the list of all."""
    with writing(settings) as conn:
        waivers.take_back(conn, identifier, person, clock())
    click.echo(f"the waiver {shown.cell(identifier)} has ended", err=True)


def _listed(conn: Connection, machine_id: str | None, *, ended: bool) -> Iterator[GivenWaiver]:
    now, after = clock(), ""
    holding_at = None if ended else now
    while page := waivers.page(conn, after=after, machine_id=machine_id, holding_at=holding_at):
        yield from (facts.given(item, now) for item in page)
        after = page[-1].waiver.id


def _until(item: GivenWaiver) -> str:
    if item.taken_back_by is not None:
        return f"ended {moment(item.until)} by {item.taken_back_by}"
    return f"until {moment(item.until)}" if item.holds else f"ended {moment(item.until)}"


def _end(length: str | None, until: str | None, now: int) -> int:
    if (length is None) == (until is None):
        raise click.UsageError("say either --for or --until")
    if length is not None:
        return now + length_s(length)
    return _moment(until or "")


def _moment(text: str) -> int:
    advice = "write a day as in 2026-12-24, or a time with its offset as in 2026-12-24T18:00Z"
    try:
        at = datetime.fromisoformat(text)
        is_day = len(text) == len("2026-12-24") and at.tzinfo is None
        if at.tzinfo is None and not is_day:
            raise refused("until", f"{text!r} does not say in which time zone", advice)
        return int((at.replace(tzinfo=UTC) if is_day else at).timestamp())
    except (ValueError, OverflowError):
        raise refused("until", f"{text!r} is no moment", advice) from None
