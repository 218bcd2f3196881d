"""What is said of a policy that can be used and was hardly meant."""

import pytest

from server.policy import GroupPolicy, Policies
from server.policy_doubts import CHANNELS, doubts, empty_groups


@pytest.mark.parametrize(
    ("written", "meant"), [("lastest", "latest"), ("stabel", "stable"), ("machines", "machine")]
)
def test_a_channel_that_is_nearly_a_known_one_is_doubted(written: str, meant: str) -> None:
    """With its group, and what comes of it."""
    (doubt,) = doubts(Policies(groups={"pilots": GroupPolicy(written)}))
    assert doubt.startswith(f'group pilots: the channel "{written}" is used as written')
    assert f'did you mean "{meant}"?' in doubt


@pytest.mark.parametrize("channel", [*CHANNELS, "canary", "beta", "claude-code@latest"])
def test_known_channels_and_others_are_not(channel: str) -> None:
    """A source may show any pointer."""
    assert doubts(Policies(GroupPolicy(channel))) == ()


def test_a_group_that_nothing_is_in_is_doubted() -> None:
    """With the one that was meant, where there is one like it."""
    stated = Policies(groups={name: GroupPolicy() for name in ("pilots", "pilot", "interns")})
    interns, pilot = empty_groups(stated, {"pilots", "default"})
    assert interns.startswith("group interns: no machine is in it")
    assert "did you mean" not in interns
    assert pilot.endswith('; did you mean "pilots"?')
