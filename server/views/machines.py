"""Machines as people and programs are shown them: a page of many, or one with its history. Pure."""

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from agent.wire import Answer, FindingView, MachineView, Standing

TIMELINE_MAX = 200
"""Most things told of one machine's timeline."""

MEND_SHARED = (
    "on the laptop that is to be another machine: parity-agent enrol --again, under a label of"
    " its own; parity-agent show prints the epoch of the laptop that it is typed on"
)
"""How two laptops become two machines, and how to know which is which."""


class ListedMachine(Answer, frozen=True):
    """A machine in a list.

    Attributes:
        machine: Its id.
        label: Its name.
        group: Its group.
        standing: How it stands.
        last_seen: The last acknowledged check-in, or its enrolment.
        owner: Who to ask about it.
        agent: The agent's version at its last check-in.
        profile: Digest of its profile; none before the first one.
        waivers: How many waivers hold for it.
        is_reference: It stands for what users run.
    """

    machine: str
    label: str
    group: str
    standing: Standing
    last_seen: int
    owner: str | None = None
    agent: str | None = None
    profile: str | None = None
    waivers: int = 0
    is_reference: bool = False


class MachinesView(Answer, frozen=True):
    """The answer of ``GET /v1/machines``.

    Attributes:
        machines: In the order of their ids.
        next: Ask again with ``after`` set to this for the next page; null on the last one.
    """

    machines: tuple[ListedMachine, ...]
    next: str | None


class Happening(Answer, frozen=True):
    """One thing in a machine's timeline.

    Attributes:
        at: When.
        kind: ``profile`` (it took one), ``group`` (it was moved to another), ``verdict``
            (its profile was judged again) or ``standing`` (by its own facts: silent, paused,
            permitted to differ, left, following its verdict again).
        standing: How it, or its profile, stood from then on.
        profile: Digest of the profile; none for ``standing``.
        findings: Of ``standing`` as they were told of an exception; else as the verdict had
            them, not dated for this machine.
        group: The group that it is judged for; none for ``standing``.
        away_s: How long it had been silent or paused, where that ended, in seconds.
    """

    at: int
    kind: str
    standing: Standing
    profile: str | None = None
    findings: tuple[FindingView, ...] = ()
    group: str | None = None
    away_s: int | None = None


class Shared(Answer, frozen=True):
    """Two laptops that seem to speak with one identity, as far as anything is kept of them.

    Each of them speaks in an epoch of its own, which ``parity-agent show`` prints there.

    Attributes:
        epoch: In which one of them was acknowledged last.
        acknowledged_at: When.
        left: The epochs before that one, the latest last: the other laptop's are among them.
        turns: When one spoke up beside the other, the latest last.
        until: From when on they are one again, if none speaks up any more.
        mend: What to do, and where.
    """

    epoch: str | None
    acknowledged_at: int
    left: tuple[str, ...]
    turns: tuple[int, ...]
    until: int
    mend: str


WhyLeft = Literal["uninstalled", "replaced", "revoked"]
"""Its user let go of it (by uninstalling, or by enrolling anew); another machine took its label;
an operator ended it."""


class MachineHistoryView(MachineView, frozen=True, kw_only=True):
    """The answer of ``GET /v1/machines/{id}``: as the machine itself is told, and its timeline.

    Attributes:
        timeline: Newest first, at most `TIMELINE_MAX`.
        shared: What is known of the two laptops, while two seem to be this machine.
        why_left: Of one that left, while that is kept.
    """

    timeline: tuple[Happening, ...]
    shared: Shared | None = None
    why_left: WhyLeft | None = None


def page(listed: Sequence[ListedMachine], limit: int, upto: str | None = None) -> MachinesView:
    """One page out of one more machine than fits on it, where there is one more.

    Args:
        listed: In the order of their ids, at most `limit` + 1.
        limit: Most machines on the page, at least 1.
        upto: The last id that was looked at; None where that was the last of all.
    """
    shown = tuple(listed[:limit])
    return MachinesView(shown, next=shown[-1].machine if len(listed) > limit else upto)


def history(
    machine: MachineView,
    timeline: Iterable[Happening],
    shared: Shared | None = None,
    why_left: WhyLeft | None = None,
) -> MachineHistoryView:
    """A machine with its timeline.

    Args:
        machine: As it is told itself.
        timeline: Oldest first.
        shared: Of the two laptops that seem to be it.
        why_left: Of one that left.
    """
    newest_first = tuple(timeline)[: -TIMELINE_MAX - 1 : -1]
    told = msgspec.structs.asdict(machine)
    return MachineHistoryView(**told, timeline=newest_first, shared=shared, why_left=why_left)
