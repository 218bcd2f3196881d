"""A scenario played by the server's own judge. Pure.

The server of the time is taken to read its sources and to hear of its laptops all the while:
a pointer shows what its last entry says, and a laptop has what its last profile says. Whatever
version a laptop names is looked up at once. Laptops are judged whenever an entry says
something new and whenever time alone changes a verdict; a change of what holds for one is a
`Word`.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from agent.wire import FindingView, Standing
from server.errors import SettingsError
from server.judge import Verdict, judge
from server.machine_facts import MachineFacts
from server.policy import Policies
from server.policy_file import read as read_policy
from server.releases.answers import Vote, fold
from server.releases.ledger import Artifact, Ledger, Lookup, Reading, Release
from server.replay.scenario import ProfileEntry, ReadingEntry, ReleaseEntry, Scenario, epoch
from server.standing import begun, finding_key, stand
from server.transitions import Told, Transition, cause, told_as

STEPS_MAX = 100_000
"""Most moments at which laptops are judged."""


@dataclass(frozen=True)
class Word:
    """What this tool would have said of one laptop from one moment on.

    Attributes:
        at: When, in whole seconds since the epoch.
        machine: The laptop.
        owner: Who is told on it.
        group: Its group.
        before: How it stood; None for its first word.
        standing: How it stands.
        findings: Why, worst first.
        alert: As what the team is alerted; None if only the laptop and the status tell.
    """

    at: int
    machine: str
    owner: str
    group: str
    before: Standing | None
    standing: Standing
    findings: tuple[FindingView, ...]
    alert: Told | None


@dataclass(frozen=True)
class _World:
    """What holds at one moment."""

    readings: tuple[Reading, ...] = ()
    releases: Mapping[tuple[str, str], ReleaseEntry] = field(default_factory=dict)
    lookups: Mapping[str, Lookup] = field(default_factory=dict)
    policies: Policies = field(default_factory=Policies)
    laptops: Mapping[str, ProfileEntry] = field(default_factory=dict)

    def ledger(self, until: int) -> Ledger:
        """What was public, with every pointer read all the while until the end."""
        latest = {(each.source, each.channel): each for each in self.readings}
        return Ledger(
            readings=(
                replace(each, last_seen=until) if each in latest.values() else each
                for each in self.readings
            ),
            releases=(
                Release(each.version, published_at=epoch(each.at), commit=each.commit)
                for each in self.releases.values()
            ),
            artifacts=(_artifact(each) for each in self.releases.values()),
            lookups=self.lookups.values(),
        )


Entry = ReadingEntry | ReleaseEntry | ProfileEntry | Policies


def play(scenario: Scenario, until: int, steps_max: int = STEPS_MAX) -> tuple[Word, ...]:
    """Every word on every laptop, in the order of time.

    Args:
        scenario: What was.
        until: When to end, in whole seconds since the epoch.
        steps_max: Most moments at which laptops are judged.

    Raises:
        ServerError: A policy of the scenario cannot be used, or it has too many moments.
    """
    return tuple(_words(scenario, until, steps_max))


def ledger_at(scenario: Scenario, at: int) -> Ledger:
    """What was public at a moment, by the scenario."""
    world = _World()
    public: tuple[ReadingEntry | ReleaseEntry, ...] = (*scenario.readings, *scenario.releases)
    for entry in public:
        if epoch(entry.at) <= at:
            world = _after(world, epoch(entry.at), entry)
    return world.ledger(at)


def _words(scenario: Scenario, until: int, steps_max: int) -> Iterator[Word]:
    entries = _entries(scenario)
    turns = _Turns(at for at, _ in entries)
    world = _World()
    known: dict[str, Word] = {}
    done = 0
    for now in turns.ascending(until, steps_max):
        while done < len(entries) and entries[done][0] <= now:
            world = _after(world, *entries[done])
            done += 1
        for machine, entry in sorted(world.laptops.items()):
            verdict, world = _judged(world, entry, now, until)
            if verdict.next_change_at is not None:
                turns.add(verdict.next_change_at)
            word = _word(world, entry, verdict, known.get(machine), now)
            if _differs(known.get(machine), word):
                yield word
            known[machine] = word


class _Turns:
    """The moments at which laptops are judged, each of them once."""

    def __init__(self, moments: Iterable[int]) -> None:
        self._known = set(moments)
        self._heap = sorted(self._known)

    def add(self, moment: int) -> None:
        """One more; all laptops of a kind tell the same one."""
        if moment not in self._known:
            self._known.add(moment)
            heapq.heappush(self._heap, moment)

    def ascending(self, until: int, most: int) -> Iterator[int]:
        """One after the other, also those that are added meanwhile."""
        for _ in range(most):
            if not self._heap or self._heap[0] > until:
                return
            yield heapq.heappop(self._heap)
        if self._heap and self._heap[0] <= until:
            raise SettingsError(
                f"the replay has more than {most} moments", advice="play fewer laptops at a time"
            )


def _entries(scenario: Scenario) -> Sequence[tuple[int, Entry]]:
    policies = (
        (epoch(each.at), read_policy(each.policy.encode(), "the policy of the replay"))
        for each in scenario.policies
    )
    told: Sequence[ReadingEntry | ReleaseEntry | ProfileEntry] = (
        *scenario.readings,
        *scenario.releases,
        *scenario.profiles,
    )
    dated: list[tuple[int, Entry]] = [*policies, *((epoch(each.at), each) for each in told)]
    return sorted(dated, key=lambda pair: pair[0])


def _after(world: _World, at: int, entry: Entry) -> _World:
    match entry:
        case ReadingEntry():
            reading = Reading(entry.source, entry.channel, entry.version, at, at)
            return replace(world, readings=(*world.readings, reading))
        case ReleaseEntry():
            key = entry.version, entry.sha256
            return replace(world, releases={**world.releases, key: entry})
        case ProfileEntry():
            return replace(world, laptops={**world.laptops, entry.machine: entry})
        case Policies():
            return replace(world, policies=entry)


def _artifact(entry: ReleaseEntry) -> Artifact:
    return Artifact(
        entry.version,
        entry.platform,
        entry.form,
        entry.sha256,
        entry.size,
        entry.trust,
        entry.source,
    )


def _judged(world: _World, entry: ProfileEntry, now: int, until: int) -> tuple[Verdict, _World]:
    """The verdict on a laptop, once all is looked up that it names."""
    profile, policy = entry.profile(), world.policies.of(entry.group)
    verdict = judge(profile, policy, world.ledger(until), now)
    if not verdict.lookups:
        return verdict, world
    answers = {version: _looked_up(world, version, now) for version in verdict.lookups}
    world = replace(world, lookups={**world.lookups, **answers})
    return judge(profile, policy, world.ledger(until), now), world


def _looked_up(world: _World, version: str, now: int) -> Lookup:
    listed = {each.version for each in world.releases.values()}
    sources = sorted({each.source for each in world.readings})
    votes = [Vote(name, "found" if version in listed else "absent") for name in sources]
    answer = fold(votes)
    return Lookup(version, now, now, answer.outcome, answer.reason)


def _word(
    world: _World, entry: ProfileEntry, verdict: Verdict, before: Word | None, now: int
) -> Word:
    facts = MachineFacts(enrolled_at=epoch(entry.at), last_seen=now)
    stands = stand(verdict, facts, world.policies.of(entry.group), now)
    known = before.findings if before else ()
    findings = begun(known, stands.findings, now)
    change = Transition(
        kind="machine",
        at=now,
        group=entry.group,
        profile_id=None,
        before=before.standing if before else None,
        after=stands.standing,
        told=None,
        cause=cause(known, findings),
        machines=1,
        labels=(entry.machine,),
        findings=findings,
        machine_id=entry.machine,
    )
    is_change = before is None or before.standing != stands.standing
    return Word(
        now,
        entry.machine,
        entry.owner,
        entry.group,
        before.standing if before else None,
        stands.standing,
        findings,
        told_as(change) if is_change else None,
    )


def _differs(before: Word | None, after: Word) -> bool:
    if before is None:
        return True
    return (before.standing, _said(before)) != (after.standing, _said(after))


def _said(word: Word) -> frozenset[tuple[str, str]]:
    return frozenset((finding_key(item), item.severity) for item in word.findings)
