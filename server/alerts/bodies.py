"""What an outbox row holds until it is sent, and how rows of one topic join. Pure.

A machine's change is one message. All fleet changes of one cause in a group are one
message: their rows share a topic, and as long as nobody has taken the row to send it, the
next change is added to it. A short settle time lets the slices of one re-judging, and a
flapping machine, come together first.

A body stays small however many machines it counts: five labels, a few findings, counts.
"""

from typing import Literal

import msgspec

from agent.wire import FindingView, Standing
from server.transitions import UNKNOWN_TOLD_AFTER_S, Kind, Told, Transition

MACHINE_SETTLE_S = 5
"""How long a machine's message waits for the change to be taken back, in seconds."""

FLEET_SETTLE_S = 30
"""How long a fleet message waits for more changes of its cause, in seconds."""

LABELS_MAX = 5
"""Most machines named in one message."""

FINDINGS_MAX = 5
"""Most findings told of one machine."""

EXAMPLES_MAX = 3
"""Most findings told as examples of what many machines share."""

TEXT_MAX_CHARS = 2_000
"""Longest text of an operator's incident, in characters."""

Word = Literal["drifted", "healed", "unknown", "operator"]


class Changed(msgspec.Struct, frozen=True, omit_defaults=True):
    """Changes of standing that are told together.

    Attributes:
        kind: ``machine`` or ``fleet``.
        told: What they are told as.
        group: The group.
        cause: By `server.transitions.cause`.
        at: The first of the changes, in whole seconds since the epoch.
        last_at: The last of them.
        machines: How many machines it concerns.
        profiles: How many verdicts changed.
        labels: Names of some machines, at most `LABELS_MAX`.
        findings: Of a machine: the worst; of a fleet: examples of the cause.
        more_findings: How many findings of a machine are not listed.
        after: The standing now, where it is the same for all.
        away_s: Of a machine that came back: for how long it was away, in seconds.
        waiver_ended: Of a machine: a waiver no longer covers what holds now.
    """

    kind: Kind
    told: Told
    group: str
    cause: str
    at: int
    last_at: int
    machines: int
    profiles: int = 1
    labels: tuple[str, ...] = ()
    findings: tuple[FindingView, ...] = ()
    more_findings: int = 0
    after: Standing | None = None
    away_s: int | None = None
    waiver_ended: bool = False


class Incident(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the operator is told of an open problem.

    Attributes:
        text: One or two sentences.
        at: When it began, or ended.
        over: It has ended.
    """

    text: str
    at: int
    over: bool = False


Body = Changed | Incident


def changed(change: Transition, told: Told) -> Changed:
    """The body that tells one change."""
    machine = change.kind == "machine"
    listed = change.findings[:FINDINGS_MAX] if machine else _examples(change)
    return Changed(
        kind=change.kind,
        told=told,
        group=change.group,
        cause=change.cause,
        at=change.at,
        last_at=change.at,
        machines=change.machines,
        labels=change.labels[:LABELS_MAX],
        findings=listed,
        more_findings=max(0, len(change.findings) - FINDINGS_MAX) if machine else 0,
        after=change.after,
        away_s=change.away_s,
        waiver_ended=change.waiver_ended,
    )


def _examples(change: Transition) -> tuple[FindingView, ...]:
    return tuple(item for item in change.findings if item.code == change.cause)[:1]


def join(old: Changed, new: Changed) -> Changed:
    """One body for two of the same topic; of one machine only the newer holds."""
    if new.kind == "machine":
        return new
    shown = {item.sentence: item for item in (*old.findings, *new.findings)}
    return msgspec.structs.replace(
        old,
        at=min(old.at, new.at),
        last_at=max(old.last_at, new.last_at),
        machines=old.machines + new.machines,
        profiles=old.profiles + new.profiles,
        labels=tuple(dict.fromkeys((*old.labels, *new.labels)))[:LABELS_MAX],
        findings=tuple(shown.values())[:EXAMPLES_MAX],
        after=old.after if old.after == new.after else None,
    )


def joins(created_at: int, body: Changed) -> bool:
    """Whether a change may still be added to the row of its topic made at `created_at`.

    `unknown` waits for an hour of its own: what begins much later has its own row.
    """
    settling = body.last_at - created_at <= FLEET_SETTLE_S
    return settling or body.kind == "machine" or body.told != "unknown"


def due_at(body: Changed, now: int) -> int:
    """When a body may be sent, in whole seconds since the epoch.

    Args:
        body: What is told.
        now: The server's clock; a change may be dated earlier (a laptop was offline).
    """
    settle_s = MACHINE_SETTLE_S if body.kind == "machine" else FLEET_SETTLE_S
    lasts_until = body.at + UNKNOWN_TOLD_AFTER_S if body.told == "unknown" else now
    return max(now, lasts_until) + settle_s


def topic(change: Transition, told: Told | None) -> str:
    """What rows are joined by: the machine; or word, cause and group of a fleet's change."""
    if change.kind == "machine":
        return f"machine {change.machine_id}"
    return f"fleet {told} {change.cause} {change.group}"


def encode(body: Body) -> str:
    """A body as the outbox keeps it."""
    return msgspec.json.encode(body).decode()


def decode_changed(text: str) -> Changed:
    """The changes that `encode` wrote.

    Raises:
        msgspec.DecodeError: It did not: a bug of ours.
    """
    return msgspec.json.decode(text, type=Changed)


def decode_incident(text: str) -> Incident:
    """The incident that `encode` wrote.

    Raises:
        msgspec.DecodeError: It did not: a bug of ours.
    """
    return msgspec.json.decode(text, type=Incident)
