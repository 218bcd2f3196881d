"""What is wrong with the sources, each with since when: a quiet source is not a well one. Pure.

Some of it is seen by looking at the ledger and at how each source did (`conditions`): out of
reach, two sources that show different heads, a pointer that stands still for longer than its
past makes likely, one that was moved back, a pointer or a version that is shown no longer.
Some is noticed once, when a source is asked (`forged`, `unsigned`, `republished`), and holds
until it says something better. ``server.store.conditions`` keeps both, and tells the operator
once.

None of it changes a verdict by itself: a downgrade may be meant (facts 5, #33926), a quiet
week may be one. But somebody must look, since an attack looks the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, groupby
from typing import Literal

from server.releases import cadence, runs
from server.releases.ledger import Ledger, Reading
from server.releases.versions import is_newer

Kind = Literal[
    "unreachable",
    "disagree",
    "frozen",
    "moved-back",
    "gone",
    "withdrawn",
    "republished",
    "forged",
    "unsigned",
]

SEEN: frozenset[Kind] = frozenset(
    {"unreachable", "disagree", "frozen", "moved-back", "gone", "withdrawn"}
)
"""Kinds that `conditions` finds again at every look; the others were noticed once."""

DISAGREE_S = 900
"""How long sources may differ before that is a condition, in seconds: a release reaches them
one after the other."""

MOVED_BACK_S = cadence.DAY_S
"""How long a move back stays a condition, in seconds, unless the pointer moves on."""

WITHDRAWN_S = 7 * cadence.DAY_S
"""How long a version or a pointer that is shown no longer stays a condition, in seconds."""

TOLD_AFTER_S: Mapping[Kind, int] = {"unreachable": 1_800, "disagree": 3_600, "gone": 3_600}
"""How long a condition lasts before the operator is told, in seconds; others are told at once.
Nobody is misjudged meanwhile: for six hours either head counts, and the last one read."""

NAMED_MAX = 10
"""Most versions that one text names."""


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """How a source does.

    Attributes:
        source: Its name.
        state: ``ok`` or ``unreachable``.
        since: Since when it is in this state.
        read_at: When it last answered; None if it never did.
        error: Why it is unreachable.
    """

    source: str
    state: str
    since: int
    read_at: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is wrong with the sources.

    Attributes:
        topic: Names it for as long as it lasts.
        kind: What it is.
        since: Since when, seconds since the epoch.
        text: One or two sentences for the operator, without secrets.
        quiet_until: The operator is not told before that.
    """

    topic: str
    kind: Kind
    since: int
    text: str
    quiet_until: int = field(default=0, compare=False)

    @property
    def incident(self) -> str:
        """What it is told under: the same trouble with many versions is one incident."""
        if self.kind in {"forged", "unsigned"}:
            return " ".join(self.topic.split()[:2])
        return self.topic

    @property
    def told_from(self) -> int:
        """When the operator is told, if it still holds then."""
        return max(self.quiet_until, self.since + TOLD_AFTER_S.get(self.kind, 0))

    @property
    def over(self) -> str:
        """What is told at its end."""
        return _OVER[self.kind].format(*self.incident.split(), "", "", "")


def conditions(ledger: Ledger, sources: Iterable[SourceHealth], now: int) -> tuple[Condition, ...]:
    """What is wrong at `now`, as far as looking tells (`SEEN`).

    Args:
        ledger: What was public.
        sources: How each source does that was ever tried.
        now: Whole seconds since the epoch.
    """
    states = {item.source: item for item in sources}
    return (
        *_unreachable(states.values()),
        *_disagree(ledger, states, now),
        *_frozen(ledger),
        *_moved_back(ledger, now),
        *_gone(ledger, states, now),
        *_withdrawn(ledger, now),
    )


def _unreachable(sources: Iterable[SourceHealth]) -> Iterator[Condition]:
    for item in sources:
        # One that never answered is told by `doctor` and the status, where the set-up is seen to.
        if item.state == "ok" or item.read_at is None:
            continue
        text = (
            f"The release source {item.source} gives no usable answer: {item.error}. What was"
            " read last is used until it is too old to decide by; laptops are `unknown` from"
            " then on."
        )
        yield Condition(f"source {item.source}", "unreachable", item.since, text)


def _disagree(ledger: Ledger, states: Mapping[str, SourceHealth], now: int) -> Iterator[Condition]:
    shown = [head for head in ledger.heads() if _is_shown(head, states.get(head.source))]
    for channel in sorted({head.channel for head in shown}):
        heads = [head for head in shown if head.channel == channel]
        times = (
            runs.differ_since(
                ledger.readings(one.source, channel), ledger.readings(other.source, channel)
            )
            for one, other in combinations(heads, 2)
        )
        since = min((at for at in times if at is not None), default=None)
        if since is None or now < since + DISAGREE_S:
            continue
        said = ", ".join(f"{head.version} by {head.source}" for head in heads)
        text = (
            f"The release sources show different heads of {channel}: {said}. Each copy is judged"
            " by the source that its own updater follows. If it lasts, one of them is held back,"
            " or is not the real one."
        )
        yield Condition(f"disagree {channel}", "disagree", since, text)


def _is_shown(head: Reading, state: SourceHealth | None) -> bool:
    """Whether the source still says so: it is in reach, and its last answer had the pointer."""
    if state is None:
        return True
    return state.state == "ok" and head.last_seen >= (state.read_at or 0)


def _frozen(ledger: Ledger) -> Iterator[Condition]:
    for head in ledger.heads():
        moments = [move.at for move in ledger.moves(head.source, head.channel)]
        past = cadence.intervals(moments)
        if len(past) < cadence.ENOUGH and head.channel == "latest":
            past = cadence.intervals([at for _, at in ledger.published()])
        limit_s = cadence.limit_s(head.channel, past)
        since = moments[-1] if moments else _stood_since(head, ledger)
        # As far as it was read: while its source is out of reach it may well have moved.
        if limit_s is None or head.last_seen - since <= limit_s:
            continue
        text = (
            f"{head.source} has shown {head.version} as {head.channel} for longer than its own"
            f" past makes likely: over {limit_s // cadence.DAY_S} days. See whether users get"
            " newer builds elsewhere: a mirror that stands still looks like calm."
        )
        # Before the server has watched it for a day, the status says so and nobody is woken.
        quiet_until = 0 if moments else head.first_seen + cadence.DAY_S
        topic = f"frozen {head.source} {head.channel}"
        yield Condition(topic, "frozen", since, text, quiet_until)


def _stood_since(head: Reading, ledger: Ledger) -> int:
    """Since when a pointer stands that was never seen to move.

    ``latest`` points to a release when it is published; a server that starts in front of a
    frozen mirror sees so at once.
    """
    release = ledger.release(head.version) if head.channel == "latest" else None
    known = (release.published_at, release.build_date) if release else ()
    return min([head.first_seen, *(at for at in known if at is not None)])


def _moved_back(ledger: Ledger, now: int) -> Iterator[Condition]:
    for head in ledger.heads():
        last = next(reversed(ledger.moves(head.source, head.channel)), None)
        if last is None or not is_newer(last.before, last.after) or now >= last.at + MOVED_BACK_S:
            continue
        text = (
            f"{head.source} moved {head.channel} back from {last.before} to {last.after}. That"
            " may be meant; see whether it was, since leading users back to an old build is"
            f" also an attack. Laptops on {last.before} are `build-withdrawn`."
        )
        topic = f"moved-back {head.source} {head.channel} {last.after}"
        yield Condition(topic, "moved-back", last.at, text)


def _gone(ledger: Ledger, states: Mapping[str, SourceHealth], now: int) -> Iterator[Condition]:
    for head in ledger.heads():
        state = states.get(head.source)
        if state is None or state.state != "ok" or _is_shown(head, state):
            continue
        if now >= head.last_seen + WITHDRAWN_S:
            continue
        text = (
            f"{head.source} answers, and shows no {head.channel} any more; it was {head.version}."
            " That is used until it is too old to decide by; laptops that follow it are `unknown`"
            " from then on. See whether users have that channel still."
        )
        yield Condition(f"gone {head.source} {head.channel}", "gone", head.last_seen, text)


def _withdrawn(ledger: Ledger, now: int) -> Iterator[Condition]:
    gone = sorted(
        (release.withdrawn_at, release.version)
        for release in ledger.releases()
        if release.withdrawn_at is not None and now < release.withdrawn_at + WITHDRAWN_S
    )
    for since, together in groupby(gone, key=lambda item: item[0]):
        versions = [version for _, version in together]
        more = len(versions) - NAMED_MAX
        named = ", ".join(versions[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
        text = (
            f"Listed no longer: {named}. A public version is seldom taken back: find out why,"
            " and what laptops that have it should run."
        )
        yield Condition(f"withdrawn {since}", "withdrawn", since, text)


_OVER: Mapping[Kind, str] = {
    "unreachable": "The release source {1} answers again.",
    "disagree": "The release sources agree on {1} again, or cannot be compared.",
    "frozen": "{1} moves {2} again, or stands still no longer than is likely.",
    "moved-back": "{1} moved {2} on, or it has stood at {3} for a day.",
    "gone": "{1} shows {2} again, or it was told a week ago.",
    "withdrawn": "The versions are listed again, or it was told a week ago.",
    "republished": "{1} is stated with one digest alone again ({2}).",
    "forged": "What {1} shows is signed as it should be again.",
    "unsigned": "Every manifest of {1} that lacked its signature has one now.",
}
