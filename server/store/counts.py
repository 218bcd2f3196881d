"""How many machines stand how: sums kept with every change, and made anew to check them.

``counts`` is what a status page reads: its cost does not grow with the fleet. The same
numbers can be made from ``machines`` and ``verdicts`` alone (`recount`), which ``doctor``
and the tests compare. A machine that never told a profile counts as `unknown`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, literal, select, union_all, update

from agent.wire import Standing
from server.store.dialect import upsert
from server.store.tables import counts, machines, verdicts

Counts = Mapping[tuple[str, str], int]
"""Machines by (group, standing); zeros are left out."""

Pairs = Mapping[tuple[int, str], int]
"""Machines that stand as their verdict says, by (profile id, group); zeros are left out."""


@dataclass(frozen=True)
class Sums:
    """The numbers that are kept with every change.

    Attributes:
        counts: By (group, standing).
        pairs: By (profile id, group).
    """

    counts: Counts
    pairs: Pairs


def count(conn: Connection, group: str, standing: Standing, machines: int) -> None:
    """Adds machines of one standing; a negative number takes them away."""
    if not machines:
        return
    statement = upsert(counts).values(group_name=group, standing=standing, machines=machines)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=[counts.c.group_name, counts.c.standing],
            set_={"machines": counts.c.machines + statement.excluded.machines},
        )
    )


def count_pair(conn: Connection, profile_id: int, group: str, machines: int) -> None:
    """Adds machines that stand as the verdict of a (profile, group) says."""
    conn.execute(
        update(verdicts)
        .where(verdicts.c.profile_id == profile_id, verdicts.c.group_name == group)
        .values(machines=verdicts.c.machines + machines)
    )


def standings(conn: Connection) -> Counts:
    """How many machines stand how, as it is kept: costs the same for any fleet."""
    rows = conn.execute(select(counts).where(counts.c.machines != 0))
    return {(row.group_name, row.standing): row.machines for row in rows}


def kept(conn: Connection) -> Sums:
    """All numbers as they are kept."""
    pairs = conn.execute(
        select(verdicts.c.profile_id, verdicts.c.group_name, verdicts.c.machines).where(
            verdicts.c.machines != 0
        )
    )
    return Sums(
        standings(conn),
        {(row.profile_id, row.group_name): row.machines for row in pairs},
    )


def recount(conn: Connection) -> Sums:
    """The same numbers, from the machines and verdicts alone: cost grows with the fleet."""
    number = func.count().label("number")
    follows = machines.c.exception.is_(None)
    by_verdict = (
        select(machines.c.group_name, verdicts.c.standing, number)
        .join_from(
            machines,
            verdicts,
            (verdicts.c.profile_id == machines.c.profile_id)
            & (verdicts.c.group_name == machines.c.group_name),
        )
        .where(follows)
        .group_by(machines.c.group_name, verdicts.c.standing)
    )
    by_exception = (
        select(machines.c.group_name, machines.c.exception, number)
        .where(machines.c.exception.is_not(None))
        .group_by(machines.c.group_name, machines.c.exception)
    )
    silent_yet = (
        select(machines.c.group_name, literal("unknown"), number)
        .where(follows, machines.c.profile_id.is_(None))
        .group_by(machines.c.group_name)
    )
    sums: dict[tuple[str, str], int] = {}
    for group, standing, found in conn.execute(union_all(by_verdict, by_exception, silent_yet)):
        sums[group, standing] = sums.get((group, standing), 0) + found
    pairs = conn.execute(
        select(machines.c.profile_id, machines.c.group_name, number)
        .where(follows, machines.c.profile_id.is_not(None))
        .group_by(machines.c.profile_id, machines.c.group_name)
    )
    return Sums(sums, {(profile_id, group): found for profile_id, group, found in pairs})


def differences(conn: Connection) -> Iterator[str]:
    """One sentence for every number that is kept wrong: for ``parity-server doctor``."""
    told, made = kept(conn), recount(conn)
    for key in sorted(told.counts.keys() | made.counts.keys()):
        says, has = told.counts.get(key, 0), made.counts.get(key, 0)
        if says != has:
            yield f"group {key[0]}, {key[1]}: {says} machines are counted, {has} are there"
    for pair in sorted(told.pairs.keys() | made.pairs.keys()):
        says, has = told.pairs.get(pair, 0), made.pairs.get(pair, 0)
        if says != has:
            yield f"profile {pair[0]} in group {pair[1]}: {says} are counted, {has} are there"
