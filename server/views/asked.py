"""What an operator asks to be changed: the bodies of such requests. Pure.

Who asks stands in none of them: that is the token's to say.
"""

from typing import Annotated

from msgspec import Meta, Struct

from agent.wire import Instant, Name
from server.waivers import REASON_MAX, SUBJECT_MAX


class Asked(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of every body that an operator sends."""


class WaiverAsked(Asked, frozen=True):
    """The body of ``POST /v1/machines/{id}/waivers``.

    Attributes:
        code: The rule code whose findings are permitted.
        reason: Why, on one line.
        until: When it ends by itself.
        subject: The one subject that it covers; without one it covers all of the code.
    """

    code: Name
    reason: Annotated[str, Meta(min_length=1, max_length=REASON_MAX)]
    until: Instant
    subject: Annotated[str, Meta(min_length=1, max_length=SUBJECT_MAX)] | None = None


class GroupAsked(Asked, frozen=True):
    """The body of ``PUT /v1/machines/{id}/group``.

    Attributes:
        group: The group that the machine is to be in.
    """

    group: Name
