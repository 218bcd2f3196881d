"""What Claude Code was told remotely, in classes that many laptops share. Pure.

Only what facts 3.6 marks as free of personal data is looked at: whether feature flags are
fetched, by the variables of facts 3.5; the version of the downloaded model catalog (without
one the catalog in the program counts, and none is told); and the class of the version that
Claude Code was first started with, because users from before it was noted are held on other
effort levels. The class of the plan is looked at only where the laptop's user shares it.

No flag, cohort, account or time is kept: each word is put into its class where it is read.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from agent.wire import Exposure

FLAGS_OFF = (
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
    "DISABLE_GROWTHBOOK",
    "DISABLE_TELEMETRY",
    "DO_NOT_TRACK",
)
"""The variables that turn the fetching of feature flags off (facts 3.5), in order of telling."""

_VERSION = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,6})(?![0-9])", re.ASCII)
_LINE = (2, 1)
_LAST_JS = 112
_PATCH_MAX = 999

_SEATS: Mapping[str, str] = {
    "team_standard": "team-standard",
    "team_tier_1": "team-premium",
    "enterprise_standard": "enterprise-standard",
    "enterprise_tier_1": "enterprise-premium",
    "enterprise_usage_based": "enterprise-usage",
}
_BILLINGS: Mapping[str, str] = {
    "apple_subscription": "subscription",
    "google_play_subscription": "subscription",
    "stripe_subscription": "subscription",
    "stripe_subscription_contracted": "subscription",
    "usage_based": "usage",
}

PLANS = frozenset({*_SEATS.values(), *_BILLINGS.values(), "other"})
"""Every class of plan."""


@dataclass(frozen=True)
class Remote:
    """What a configuration keeps of what it was told, already in classes.

    Attributes:
        model_catalog: Version of the downloaded model catalog.
        first_start: As `first_start_class`.
        plan: As `plan_class`.
    """

    model_catalog: int | None = None
    first_start: str | None = None
    plan: str | None = None


def of(effective: Collection[str], remote: Remote) -> Exposure:
    """What is told of the exposure.

    Args:
        effective: The variables that are set to another value than their default.
        remote: What was read.
    """
    off_by = next((name for name in FLAGS_OFF if name in effective), None)
    return Exposure(
        flags="off" if off_by else "on",
        flags_off_by=off_by,
        model_catalog=remote.model_catalog,
        first_start=remote.first_start,
        plan=remote.plan,
    )


def first_start_class(version: object) -> str | None:
    """The class of ``firstStartVersion``; None for what is no version.

    The classes are ``before-2.1``; ``2.1.0-112``, the releases in JavaScript; ``2.1.113-199``;
    each further hundred of 2.1 up to ``2.1.900-999``; and ``later``.
    """
    found = _VERSION.match(version) if isinstance(version, str) else None
    if found is None:
        return None
    line, patch = (int(found[1]), int(found[2])), int(found[3])
    if line < _LINE:
        return "before-2.1"
    if line > _LINE or patch > _PATCH_MAX:
        return "later"
    if patch <= _LAST_JS:
        return f"2.1.0-{_LAST_JS}"
    first = patch // 100 * 100
    return f"2.1.{max(first, _LAST_JS + 1)}-{first + 99}"


def plan_class(*, seat: object, billing: object) -> str | None:
    """The class of a plan, one of `PLANS`; None where neither word is there.

    Args:
        seat: ``seatTier`` of the account; stronger, because it names the product.
        billing: ``billingType`` of the account.
    """
    if isinstance(seat, str) and seat:
        return _SEATS.get(seat, "other")
    if isinstance(billing, str) and billing:
        return _BILLINGS.get(billing, "other")
    return None
