"""The table of changes: which change of standing is told, and as what. Pure.

A transition is written in the transaction that caused it; whether people hear of it is
read off the table below. Entering and leaving `drift` is told at once; `unknown` only
after an hour, since most of it mends itself; silence and leaving are not repairs and
end nothing.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

from agent.wire import FindingView, Standing
from server.standing import finding_key

Told = Literal["drifted", "healed", "unknown"]
Kind = Literal["machine", "fleet"]

UNKNOWN_TOLD_AFTER_S = 3600
"""How long `unknown` has to last before it is told, in seconds."""

_SETTLED: tuple[Standing, ...] = ("match", "pending", "exempt", "absent")

TOLD: Mapping[tuple[Standing | None, Standing], Told] = MappingProxyType(
    {
        # None: the machine had no verdict before.
        (None, "drift"): "drifted",
        **{(before, "drift"): "drifted" for before in (*_SETTLED, "unknown")},
        **{("drift", after): "healed" for after in _SETTLED},
        (None, "unknown"): "unknown",
        **{(before, "unknown"): "unknown" for before in (*_SETTLED, "drift")},
    }
)


def told_as(before: Standing | None, after: Standing) -> Told | None:
    """What people are told of a change of standing; None for nothing."""
    return TOLD.get((before, after))


def cause(before: Iterable[FindingView], after: Iterable[FindingView]) -> str:
    """Why a verdict changed: the code of the finding that came, worsened or went.

    Profiles that change for the same reason share it, however else they differ.
    """
    old = {(finding_key(item), item.severity) for item in before}
    new = {(finding_key(item), item.severity) for item in after}
    came = (item.code for item in after if (finding_key(item), item.severity) not in old)
    went = (item.code for item in before if (finding_key(item), item.severity) not in new)
    return next(came, None) or next(went, "no-finding")
