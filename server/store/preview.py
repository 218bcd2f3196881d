"""The whole fleet judged by policies that are not in force yet.

Only the groups whose policy would differ are read. In these, a machine is stood by itself
where something is true of it alone, or would be by the new times: of silence, and of the grace
after an enrolment. All others are counted by their pair.
"""

import functools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, false, not_, or_, select

from agent.wire import Profile, Standing
from server.policy_diff import Move, Twice, Verdicts
from server.store.counts import standings
from server.store.facts import facts_of
from server.store.machines import MACHINES, Machine, machine_of
from server.store.tables import machines, presence, profiles, verdicts
from server.store.verdicts import read_profile

PAGE_MAX = 500
"""Most rows read at a time."""

VERDICTS_KEPT = 4_096
"""Most profiles whose verdicts are remembered for machines that are stood by themselves."""


def moves(conn: Connection, twice: Twice, labels_max: int | None) -> Iterator[Move]:
    """Everybody who would stand otherwise.

    Args:
        conn: For reading.
        twice: What is in force, and what would be.
        labels_max: Most machines named of one change, whichever are found first, besides
            those that are stood by themselves; None names all.
    """
    for group in sorted({group for group, _ in standings(conn)}):
        if twice.differs(group):
            yield from _Group(conn, twice, group, labels_max).moves()


@dataclass(frozen=True)
class _Group:
    conn: Connection
    twice: Twice
    group: str
    labels_max: int | None

    def moves(self) -> Iterator[Move]:
        apart: Counter[int | None] = Counter()
        named: Counter[tuple[Standing, Standing]] = Counter()
        judged = functools.lru_cache(VERDICTS_KEPT)(self._verdicts)
        for machine in self._alone():
            if machine.exception is None:
                apart[machine.profile_id] += 1
            old, new = self._stands(machine, judged(machine.profile_id))
            yield Move(self.group, old, new, 1, (machine.label,))
        for profile_id, profile, number in self._pairs():
            before, after = self.twice.verdicts(profile, self.group)
            rest = number - apart[profile_id]
            if before and after and before.standing != after.standing and rest > 0:
                labels = self._labels(profile_id, named[before.standing, after.standing])
                named[before.standing, after.standing] += len(labels)
                yield Move(self.group, before.standing, after.standing, rest, labels)

    def _stands(self, machine: Machine, verdicts: Verdicts) -> tuple[Standing, Standing]:
        facts = (
            facts_of(self.conn, self.twice.before, machine, self.twice.now),
            facts_of(self.conn, self.twice.after, machine, self.twice.now),
        )
        return self.twice.stands(verdicts, facts, self.group)

    def _verdicts(self, profile_id: int | None) -> Verdicts:
        query = select(profiles.c.body).where(profiles.c.id == profile_id)
        body = self.conn.execute(query).scalar_one_or_none()
        return self.twice.verdicts(read_profile(body) if body else None, self.group)

    def _alone(self) -> Iterator[Machine]:
        # Their ids first, in whatever order: sorting a whole fleet takes longer than the rest.
        alone = or_(machines.c.exception.is_not(None), self._would_be_alone())
        ids = self.conn.execute(select(machines.c.id).where(self._here(), alone)).scalars().all()
        for start in range(0, len(ids), PAGE_MAX):
            page = MACHINES.where(machines.c.id.in_(ids[start : start + PAGE_MAX]))
            yield from map(machine_of, self.conn.execute(page).all())

    def _pairs(self) -> Iterator[tuple[int, Profile, int]]:
        query = (
            select(verdicts.c.profile_id, profiles.c.body, verdicts.c.machines)
            .join(profiles, profiles.c.id == verdicts.c.profile_id)
            .where(verdicts.c.group_name == self.group, verdicts.c.machines > 0)
            .order_by(verdicts.c.profile_id)
            .limit(PAGE_MAX)
        )
        page = self.conn.execute(query).all()
        while page:
            yield from ((row.profile_id, read_profile(row.body), row.machines) for row in page)
            after = verdicts.c.profile_id > page[-1].profile_id
            page = self.conn.execute(query.where(after)).all()

    def _labels(self, profile_id: int, named: int) -> tuple[str, ...]:
        lacking = None if self.labels_max is None else max(0, self.labels_max - named)
        if lacking == 0:
            return ()
        query = (
            select(machines.c.label)
            .where(
                self._here(),
                machines.c.profile_id == profile_id,
                machines.c.exception.is_(None),
                not_(self._would_be_alone()),
            )
            .limit(lacking)
        )
        return tuple(self.conn.execute(query).scalars())

    def _here(self) -> ColumnElement[bool]:
        return and_(machines.c.group_name == self.group, machines.c.left_at.is_(None))

    def _would_be_alone(self) -> ColumnElement[bool]:
        """Of a machine that follows its verdict: the new times make it an exception."""
        old, new = self.twice.before.policy(self.group), self.twice.after.policy(self.group)
        now = self.twice.now
        either: list[ColumnElement[bool]] = [false()]
        if new.silent_after_s < old.silent_after_s:
            spoke = select(presence.c.last_seen).where(presence.c.machine_id == machines.c.id)
            either.append(spoke.scalar_subquery() <= now - new.silent_after_s)
        if new.enrolled_grace_s > old.enrolled_grace_s:
            either.append(machines.c.enrolled_at > now - new.enrolled_grace_s)
        return or_(*either)
