"""The case that rules look at."""

import pytest

from agent.wire import Config, Override, Profile
from server.policy import GroupPolicy
from server.releases.ledger import Ledger, Reading
from server.rules.interface import Case, channel_of
from tests.server.rules.ruled import CLEAN, NOW

MAX_AGE_S = GroupPolicy().head_max_age_s


def test_a_position_changes_when_findings_would_tell_it() -> None:
    """Not when another source takes over that shows the same head; but when both are too old."""
    npm = Reading("npm", "latest", "2.1.330", NOW - 9_000, NOW - 600)
    bucket = Reading("bucket", "latest", "2.1.330", NOW - 9_000, NOW)
    profile = Profile(1, "linux", "x64", config=CLEAN)
    for version in ("2.1.330", "2.1.329"):
        case = Case(profile, GroupPolicy(), Ledger([npm, bucket]), NOW)
        assert case.locate(version, "npm").changes_at == NOW + MAX_AGE_S


def chosen(value: str | None = None, **also: object) -> Profile:
    """A laptop that chose a channel."""
    given = {"kind": "setting", "key": "autoUpdatesChannel", "layer": "user"} | also
    override = Override(override_class="behaviour", value=value, **given)  # type: ignore[arg-type]
    return Profile(1, "linux", "x64", config=Config(1, CLEAN.hash, (override,)))


@pytest.mark.parametrize(
    ("profile", "channel"),
    [
        (Profile(1, "linux", "x64", config=CLEAN), "latest"),
        (Profile(1, "linux", "x64"), None),
        (chosen("stable"), "stable"),
        (chosen(None), None),
        (chosen("stable", shadowed=True), "latest"),
        (chosen("stable", kind="variable"), "latest"),
        (chosen("latest", is_default=True), "latest"),
    ],
    ids=["none", "not examined", "stable", "not told", "hidden", "no setting", "default"],
)
def test_a_laptop_can_choose_its_channel(profile: Profile, channel: str | None) -> None:
    """Only where the policy leaves it to the laptop; what is not told is not guessed."""
    assert channel_of(profile, GroupPolicy(channel="machine")) == channel
    assert channel_of(profile, GroupPolicy(channel="stable")) == "stable"
