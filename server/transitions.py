"""The table of changes: which change of standing is told, and as what. Pure.

A transition is written in the transaction that caused it; whether people hear of it is
read off the table below. Entering and leaving `drift` is told at once; `unknown` only
after an hour, since most of it mends itself; silence, a pause and leaving are not repairs and
end nothing: who comes back is compared with how it stood before it went.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from agent.wire import FindingView, Standing
from server.standing import finding_key

Told = Literal["drifted", "healed", "unknown"]
Kind = Literal["machine", "fleet"]

UNKNOWN_TOLD_AFTER_S = 3600
"""How long `unknown` has to last before it is told, in seconds."""

SETTLED: tuple[Standing, ...] = ("match", "pending", "exempt", "absent")
"""Standings in which a machine does not drift, as far as is known."""

AWAY: tuple[Standing, ...] = ("silent", "paused")
"""Standings in which a machine is not looked at: it may come back from them."""

TOLD: Mapping[tuple[Standing | None, Standing], Told] = MappingProxyType(
    {
        # None: the machine had no verdict before.
        (None, "drift"): "drifted",
        **{(before, "drift"): "drifted" for before in (*SETTLED, "unknown")},
        **{("drift", after): "healed" for after in SETTLED},
        (None, "unknown"): "unknown",
        **{(before, "unknown"): "unknown" for before in (*SETTLED, "drift")},
    }
)


@dataclass(frozen=True)
class Transition:
    """A change of standing, written in the transaction that caused it.

    Attributes:
        kind: ``machine`` (it took another profile, or by its own facts) or ``fleet`` (a
            verdict changed under all machines that share it).
        at: When, in whole seconds since the epoch.
        group: The group.
        profile_id: The profile taken, or the one judged again.
        before: The standing before; None where there was none.
        after: The standing now.
        told: What people heard last of the pair that the machine left or that changed.
        cause: By `cause`.
        machines: How many machines it concerns.
        labels: Names of the machines, at most five of them.
        findings: The findings that hold now, worst first, dated for the machine.
        machine_id: For ``machine``: which one.
        away_s: For who comes back: how long nothing was heard of it, in seconds.
        waiver_ended: A waiver no longer covers what holds now.
    """

    kind: Kind
    at: int
    group: str
    profile_id: int | None
    before: Standing | None
    after: Standing
    told: Told | None
    cause: str
    machines: int
    labels: tuple[str, ...]
    findings: tuple[FindingView, ...]
    machine_id: str | None = None
    away_s: int | None = None
    waiver_ended: bool = False


def told_as(change: Transition) -> Told | None:
    """What people are told of a change; None for nothing.

    An outage of a source turns verdicts `unknown` and back. It is the operator's one
    incident: no laptop is told for it, neither as it begins nor, if it was told to drift
    before, as it ends.
    """
    before = change.before
    if before == "unknown" and change.told == "drifted":
        before = "drift"
    told = TOLD.get((before, change.after))
    if told == "unknown" and change.cause == "build-behind":
        return None
    return told


def cause(before: Iterable[FindingView], after: Iterable[FindingView]) -> str:
    """Why a verdict changed: the code of the finding that came, worsened or went.

    Profiles that change for the same reason share it, however else they differ.
    """
    old = {(finding_key(item), item.severity) for item in before}
    new = {(finding_key(item), item.severity) for item in after}
    came = (item.code for item in after if (finding_key(item), item.severity) not in old)
    went = (item.code for item in before if (finding_key(item), item.severity) not in new)
    return next(came, None) or next(went, "no-finding")
