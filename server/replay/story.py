"""What a replay amounts to: for each change, who would have heard what, and when. Pure.

A word counts for a change if it complains of something that the change could show in (its
`touches`); that a laptop will soon be updated (`pending`) is no complaint. A laptop without any
is one that this tool did not see the change by, and the reason is said.
"""

from collections.abc import Iterable, Sequence

from agent.wire import Answer, FindingView, Standing
from server.judge import Severity, severity_of
from server.replay.play import Word, ledger_at, play
from server.replay.scenario import SERVER_TRACE, ChangeEntry, Scenario, epoch

NOT_SEEN = "not seen by this tool"
"""What is said where nothing differed that an agent can examine."""

_EXPOSURE = "exposure-differs"
_COMPLAINTS: tuple[Severity, ...] = ("drift", "unknown", "exempt")


class Told(Answer, frozen=True, omit_defaults=False):
    """One thing that would have been said.

    Attributes:
        at: When; the change's own beginning where it held already.
        since: When it was first said; earlier than `at` where it held already.
        machine: Of which laptop.
        owner: Who is told on it.
        group: Its group.
        standing: How it stood.
        alert: As what the team is alerted: ``drifted``, ``healed``, ``unknown``, or null.
        sentences: Why.
    """

    at: int
    since: int
    machine: str
    owner: str
    group: str
    standing: Standing
    alert: str | None
    sentences: tuple[str, ...]


class Unseen(Answer, frozen=True):
    """A laptop by which the change was not seen.

    Attributes:
        machine: Its name.
        reason: Why.
    """

    machine: str
    reason: str


class Story(Answer, frozen=True):
    """What would have been said while users had a change.

    Attributes:
        change: Its name.
        shipped: From when on users had it.
        undone: Until when.
        public: What each channel pointed to as it was shipped, and as it was undone.
        told: In the order of time.
        unseen: Laptops by which it was not seen.
        verdict: One sentence on all of it.
    """

    change: str
    shipped: int
    undone: int
    public: tuple[str, ...]
    told: tuple[Told, ...]
    unseen: tuple[Unseen, ...]
    verdict: str


class Replay(Answer, frozen=True):
    """A whole replay.

    Attributes:
        title: The scenario's.
        stories: One of each change, in the order in which they were shipped.
        assumed: How many entries rest on an assumption.
        entries: How many entries there are.
    """

    title: str
    stories: tuple[Story, ...]
    assumed: int
    entries: int


def replay(scenario: Scenario) -> Replay:
    """Plays a scenario and tells the story of each of its changes.

    Raises:
        ServerError: A policy of the scenario cannot be used.
    """
    end = max(epoch(each.undone) for each in scenario.changes)
    words = play(scenario, end)
    entries = (*scenario.readings, *scenario.releases, *scenario.policies, *scenario.profiles)
    return Replay(
        scenario.title,
        tuple(_story(scenario, change, words) for change in scenario.changes),
        assumed=sum(each.basis == "assumed" for each in entries),
        entries=len(entries),
    )


def _story(scenario: Scenario, change: ChangeEntry, words: Sequence[Word]) -> Story:
    shipped, undone = epoch(change.shipped), epoch(change.undone)
    machines = sorted({word.machine for word in words if word.at <= undone})
    told: list[Told] = []
    unseen = []
    for machine in machines:
        own = [word for word in words if word.machine == machine]
        heard = list(_told(change, own))
        told.extend(heard)
        if not any(each.sentences for each in heard):
            unseen.append(Unseen(machine, _reason(change, own)))
    told.sort(key=lambda each: (each.at, each.machine))
    return Story(
        change.name,
        shipped,
        undone,
        tuple(_public(scenario, at) for at in (shipped, undone)),
        tuple(told),
        tuple(unseen),
        _sum(told, unseen),
    )


def _told(change: ChangeEntry, words: Sequence[Word]) -> Iterable[Told]:
    shipped, undone = epoch(change.shipped), epoch(change.undone)
    said: tuple[str, ...] = ()
    for word in words:
        if word.at > undone:
            return
        sentences = tuple(item.sentence for item in word.findings if _is_about(item, change))
        held = max(word.at, shipped)
        following = next((each.at for each in words if each.at > word.at), None)
        if following is not None and following <= shipped:
            continue
        if sentences != said:
            yield Told(
                at=held,
                since=word.at,
                machine=word.machine,
                owner=word.owner,
                group=word.group,
                standing=word.standing,
                alert=word.alert,
                sentences=sentences,
            )
        said = sentences


def _is_about(finding: FindingView, change: ChangeEntry) -> bool:
    if severity_of(finding) not in _COMPLAINTS:
        return False
    if finding.code == _EXPOSURE and "exposure" in change.touches:
        return True
    if finding.code.startswith("build-") or finding.install is not None:
        return "build" in change.touches
    return finding.subject.partition(" ")[2] in change.touches


def _reason(change: ChangeEntry, words: Sequence[Word]) -> str:
    shipped, undone = epoch(change.shipped), epoch(change.undone)
    early = [word for word in words if word.at <= shipped]
    within = [word for word in words if shipped < word.at <= undone]
    standings = dict.fromkeys(word.standing for word in (*early[-1:], *within))
    seen_in = [each for each in change.touches if each != SERVER_TRACE]
    stood = " and then ".join(standings)
    reason = f"it stood as {stood}: nothing that it told of {_listed(seen_in)} differed"
    return f"{reason}. {change.unseen}" if change.unseen else reason


def _listed(names: Sequence[str]) -> str:
    words = {"build": "its builds", "exposure": "its exposure"}
    return " or ".join(words.get(name, name) for name in names) or "itself"


def _public(scenario: Scenario, at: int) -> str:
    heads = ledger_at(scenario, at).heads()
    return ", ".join(f"{head.channel} {head.version} ({head.source})" for head in heads)


def _sum(told: Sequence[Told], unseen: Sequence[Unseen]) -> str:
    seen = sorted({each.machine for each in told if each.sentences})
    if not seen:
        return NOT_SEEN
    if not unseen:
        return f"seen on {', '.join(seen)}"
    blind = ", ".join(each.machine for each in unseen)
    return f"seen on {', '.join(seen)}; {NOT_SEEN} on {blind}"
