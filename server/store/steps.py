"""The way from profile to profile that one message of a machine tells. Pure.

A machine names profiles by digest, those since its last ack and the present one. Each that
differs from the one before is a step, with a number and a time of its own. Steps whose
bytes are known are taken; the others are wished for and keep their place in the timeline
until the bytes come. The present profile is wished for until it comes; an earlier one for
a day, then the timeline goes without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.wire import WANTED_MAX, CheckIn

HISTORY_KEPT_S = 24 * 3600
"""How long the profile of an earlier time is wished for, in seconds."""


UNSENT_S = 3600
"""How long a machine keeps its standing while its present profile is not sent, in seconds."""


@dataclass(frozen=True)
class Step:
    """A profile that a machine took.

    Attributes:
        digest: Its name.
        at: When, by the server's clock.
        number: Its place among all that this machine took.
        asked_at: When it was first wished for.
    """

    digest: str
    at: int
    number: int
    asked_at: int


@dataclass(frozen=True)
class Taken:
    """A step whose profile is known.

    Attributes:
        step: The step.
        profile_id: Its profile.
    """

    step: Step
    profile_id: int


@dataclass(frozen=True)
class Way:
    """What to do with some steps.

    Attributes:
        passed: Taken before the present one, or without it: for the timeline.
        present: The present profile, where it is to be taken now.
        wishes: What remains wished for, the present one first.
        is_overdue: The present profile is lacking, and something has been for too long:
            what holds for the machine now is not known.
    """

    passed: tuple[Taken, ...]
    present: Taken | None
    wishes: tuple[Step, ...]
    is_overdue: bool = False


def told_by(
    message: CheckIn, claimed: str | None, last_seen: int, numbered: int, now: int
) -> tuple[Step, ...]:
    """The steps that a check-in tells; none if the machine still has the profile it had.

    The agent's clock is evidence: its distance from the server's is taken off, and what
    is left is clamped to (last ack, now] and kept in the order told.

    Args:
        message: The check-in.
        claimed: The digest that the machine named last.
        last_seen: The last ack.
        numbered: How many steps it told before.
        now: The server's clock.
    """
    told = [(change.profile, change.at + now - message.clock) for change in message.changes]
    told.append((message.profile, now))
    steps: list[Step] = []
    at = min(now, last_seen + 1)
    present = claimed
    for digest, when in told:
        at = min(now, max(at, when))
        if digest != present:
            steps.append(Step(digest, at, numbered + len(steps), now))
        present = digest
    return tuple(steps)


def way(steps: Sequence[Step], present: str, known: Mapping[str, int], now: int) -> Way:
    """Sorts steps into those to take and those to wish for.

    Args:
        steps: What was wished for, then what is told now; of one digest the last one
            counts where its bytes are not known.
        present: The digest of the machine's present profile.
        known: Ids of known profiles by digest.
        now: The server's clock.
    """
    ordered = sorted(steps, key=lambda step: step.number)
    taken = [Taken(step, known[step.digest]) for step in ordered if step.digest in known]
    last = taken.pop() if taken and _is_last(taken[-1].step, ordered, present) else None
    lacking = {step.digest: step for step in ordered if step.digest not in known}
    wishes = sorted(
        (
            step
            for step in lacking.values()
            if step.digest == present or now < step.asked_at + HISTORY_KEPT_S
        ),
        key=lambda step: (step.digest != present, -step.number),
    )
    waited_s = now - min((step.asked_at for step in wishes), default=now)
    is_overdue = present in lacking and waited_s >= UNSENT_S
    return Way(tuple(taken), last, tuple(wishes[:WANTED_MAX]), is_overdue)


def _is_last(step: Step, ordered: Sequence[Step], present: str) -> bool:
    return step.digest == present and step == ordered[-1]
