"""Waivers as rows: given, taken back, told.

A row stays as long as its machine is known. Only one of its columns ever changes, and only
towards the past: ``until``, when a person takes the waiver back. To hold for longer takes
another waiver, with a reason of its own.

Whoever writes here leaves the machine due: a running server looks at it within a second,
whichever process wrote.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from server.errors import RequestRefused
from server.rules import rules
from server.said import check_line
from server.store.live import check_live, look_again
from server.store.tables import machines, waivers
from server.waivers import PERSON_MAX, Waiver, check

HOLDING_MAX = 64
"""Most waivers that hold for one machine at a time."""

PAGE_MAX = 500
"""Most waivers on one page."""

_WAIVER = (
    waivers.c.id,
    waivers.c.code,
    waivers.c.subject,
    waivers.c.reason,
    waivers.c.person,
    waivers.c.since,
    waivers.c.until,
)


@dataclass(frozen=True)
class Given:
    """A waiver with the machine that it was given to.

    Attributes:
        machine: The machine's id.
        label: The machine's name.
        waiver: As it was given; `Waiver.until` is earlier where it was taken back.
        taken_back_by: Who ended it before its time; None if nobody did.
    """

    machine: str
    label: str
    waiver: Waiver
    taken_back_by: str | None


_GIVEN = select(waivers.c.machine_id, machines.c.label, waivers.c.taken_back_by, *_WAIVER).join(
    machines, machines.c.id == waivers.c.machine_id
)


def waivers_of(conn: Connection, machine_id: str) -> tuple[Waiver, ...]:
    """Every waiver that a machine was ever given, oldest first."""
    query = (
        select(*_WAIVER)
        .where(waivers.c.machine_id == machine_id)
        .order_by(waivers.c.since, waivers.c.id)
    )
    return tuple(Waiver(*row) for row in conn.execute(query))


def give(conn: Connection, machine_id: str, waiver: Waiver) -> Given:
    """Gives a machine a waiver.

    Args:
        conn: A writer's transaction.
        machine_id: To whom.
        waiver: As it holds from `Waiver.since` on, which is now.

    Returns:
        What was given.

    Raises:
        RequestRefused: 422 as `server.waivers.check`; 404 there is no such machine; 409 it
            has left, a waiver for the same code and subject still holds, or `HOLDING_MAX` do.
    """
    check(waiver, {rule.code for rule in rules()})
    label = check_live(conn, machine_id)
    _check_room(waivers_of(conn, machine_id), waiver)
    conn.execute(
        insert(waivers).values(
            machine_id=machine_id,
            id=waiver.id,
            code=waiver.code,
            subject=waiver.subject,
            reason=waiver.reason,
            person=waiver.person,
            since=waiver.since,
            until=waiver.until,
        )
    )
    look_again(conn, machine_id, waiver.since)
    return Given(machine_id, label, waiver, None)


def take_back(conn: Connection, waiver_id: str, person: str, now: int) -> Given:
    """Ends a waiver before its time.

    Args:
        conn: A writer's transaction.
        waiver_id: Which one.
        person: Who ends it.
        now: The server's clock.

    Returns:
        The waiver as it is kept.

    Raises:
        RequestRefused: 422 `person` is none that could sign; 404 there is no such waiver;
            409 it does not hold any more.
    """
    check_line("person", person, PERSON_MAX)
    row = conn.execute(_GIVEN.where(waivers.c.id == waiver_id)).first()
    if row is None:
        raise RequestRefused(
            "there is no waiver with this id",
            advice="see GET /v1/waivers, or parity-server waiver list --all",
            status=404,
        )
    given = _given(row)
    if given.waiver.until <= now:
        raise RequestRefused(
            "this waiver has ended already", advice="nothing is left to do", status=409
        )
    conn.execute(
        update(waivers).where(waivers.c.id == waiver_id).values(until=now, taken_back_by=person)
    )
    look_again(conn, given.machine, now)
    return replace(given, waiver=replace(given.waiver, until=now), taken_back_by=person)


def page(
    conn: Connection,
    *,
    after: str = "",
    limit: int = PAGE_MAX,
    machine_id: str | None = None,
    holding_at: int | None = None,
) -> Sequence[Given]:
    """Waivers in the order of their ids.

    Args:
        conn: For reading.
        after: The last id of the page before.
        limit: Most waivers, up to `PAGE_MAX`.
        machine_id: Only this machine's.
        holding_at: Only those that hold then; None also gives those that ended.
    """
    query = _GIVEN.where(waivers.c.id > after).order_by(waivers.c.id)
    if machine_id is not None:
        query = query.where(waivers.c.machine_id == machine_id)
    if holding_at is not None:
        query = query.where(waivers.c.since <= holding_at, waivers.c.until > holding_at)
    return [_given(row) for row in conn.execute(query.limit(min(limit, PAGE_MAX)))]


def holding(conn: Connection, machine_ids: Collection[str], now: int) -> Mapping[str, int]:
    """How many waivers hold for each of some machines; those with none are left out."""
    query = (
        select(waivers.c.machine_id, func.count().label("number"))
        .where(waivers.c.machine_id.in_(machine_ids), waivers.c.since <= now, waivers.c.until > now)
        .group_by(waivers.c.machine_id)
    )
    return {row.machine_id: row.number for row in conn.execute(query)}


def _given(row: Row[*tuple[Any, ...]]) -> Given:
    machine, label, taken_back_by, *waiver = row
    return Given(machine, label, Waiver(*waiver), taken_back_by)


def _check_room(known: Iterable[Waiver], asked: Waiver) -> None:
    holding = [each for each in known if each.until > asked.since]
    for each in holding:
        if (each.code, each.subject) == (asked.code, asked.subject):
            raise RequestRefused(
                f"waiver {each.id} by {each.person} holds for the same until"
                f" {datetime.fromtimestamp(each.until, UTC):%Y-%m-%d %H:%M}Z",
                advice=f"end {each.id} first, then give this one: none is renewed in silence",
                status=409,
            )
    if len(holding) >= HOLDING_MAX:
        raise RequestRefused(
            f"{HOLDING_MAX} waivers hold for this machine already",
            advice="end those that are not needed, or give one without a subject",
            status=409,
        )
