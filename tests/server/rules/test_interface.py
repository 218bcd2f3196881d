"""What a case tells of copies that go their own way."""

import pytest

from agent.wire import Build, Install
from server.policy import MACHINE, GroupPolicy
from server.releases.identify import Altered, Unknowable
from server.releases.ledger import Artifact, Ledger, Reading
from server.rules.interface import Case, channel_of
from tests.server.cases import KNOWN, NOW
from tests.server.shop import profile

SCRIPT = Build("e" * 64, 10, "js", "2.1.112")


@pytest.mark.parametrize(
    ("place", "channel"), [("claude-code", "stable"), ("claude-code@latest", "latest")]
)
def test_a_cask_is_its_own_channel_where_the_laptop_chooses(place: str, channel: str) -> None:
    """Homebrew's two casks are the two channels; a group's own channel wins."""
    cask = Install("homebrew", place, starts=("terminal",))
    assert channel_of(profile(), GroupPolicy(channel=MACHINE), cask) == channel
    assert channel_of(profile(), GroupPolicy(channel="next"), cask) == "next"


def test_a_cask_is_judged_by_the_head_of_its_channel() -> None:
    """The one of `stable` is no laggard while `latest` is ahead of it."""
    told = profile()
    build = Build("b" * 64, 10, "binary", "2.1.329", "linux-x64")
    casks = tuple(
        Install("homebrew", place, build=build, starts=("terminal",))
        for place in ("claude-code", "claude-code@latest")
    )
    heads = [
        Reading("bucket", "latest", "2.1.330", NOW - 60, NOW),
        Reading("bucket", "stable", "2.1.329", NOW - 60, NOW),
    ]
    told = type(told)(1, "linux", "x64", casks, config=told.config)
    case = Case(told, GroupPolicy(channel=MACHINE), Ledger(heads, artifacts=KNOWN), NOW)
    assert [copy.position and copy.position.place for copy in case.counted] == ["head", "behind"]


def test_a_system_package_follows_its_group() -> None:
    """Which of the repository's suites it came from its laptop does not tell."""
    package = Install("system_package", "dpkg", starts=("terminal",))
    assert channel_of(profile(), GroupPolicy(channel="stable"), package) == "stable"
    assert channel_of(profile(), GroupPolicy(channel=MACHINE), package) == "latest"


def test_the_script_of_an_sdk_is_not_compared_with_that_of_the_cli() -> None:
    """Both call themselves 2.1.112; the SDK's was built by itself (facts 2.6)."""
    cli = Artifact("2.1.112", None, "js", "d" * 64, 10, "registry", "npm")
    known = Ledger(artifacts=[cli])
    copies = (
        Install("agent_sdk", "global", build=SCRIPT, starts=("sdk",)),
        Install("npm", "global", build=SCRIPT, starts=("terminal",)),
    )
    told = type(profile())(1, "linux", "x64", copies, config=profile().config)
    script, altered = Case(told, GroupPolicy(), known, NOW).counted
    assert isinstance(script.identity, Unknowable)
    assert isinstance(altered.identity, Altered)
