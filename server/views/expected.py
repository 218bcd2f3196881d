"""What people expect of single machines, as it is shown: waivers and reference machines. Pure."""

from collections.abc import Sequence

from agent.wire import Answer, WaiverView


class GivenWaiver(WaiverView, frozen=True, kw_only=True):
    """A waiver in a list.

    Attributes:
        machine: The id of the machine that has it.
        label: That machine's name.
        holds: Whether it holds now.
        taken_back_by: Who ended it before its time; none if nobody did.
    """

    machine: str
    label: str
    holds: bool
    taken_back_by: str | None = None


class WaiversView(Answer, frozen=True):
    """The answer of ``GET /v1/waivers``.

    Attributes:
        waivers: In the order of their ids.
        next: Ask again with ``after`` set to this for the next page; null on the last one.
    """

    waivers: tuple[GivenWaiver, ...]
    next: str | None


class ReferenceView(Answer, frozen=True):
    """A machine that stands for what a group's users run.

    Attributes:
        group: The group that is compared with it.
        machine: Its id.
        label: Its name.
        added_at: Since when it stands for them.
        profile: Digest of the profile that it shows; none before its first one.
    """

    group: str
    machine: str
    label: str
    added_at: int
    profile: str | None = None


class ReferencesView(Answer, frozen=True):
    """The answer of ``GET /v1/references``.

    Attributes:
        references: By group and machine.
    """

    references: tuple[ReferenceView, ...]


def page(listed: Sequence[GivenWaiver], limit: int) -> WaiversView:
    """One page out of one more waiver than fits on it, where there is one more.

    Args:
        listed: In the order of their ids, at most `limit` + 1.
        limit: Most waivers on the page, at least 1.
    """
    shown = tuple(listed[:limit])
    return WaiversView(shown, next=shown[-1].id if len(listed) > limit else None)
