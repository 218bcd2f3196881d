"""The terminal starts an old copy beside a newer one."""

import pytest

from agent.wire import Build, FixRef, Install
from server.policy import GroupPolicy
from server.rules.build_behind import RULE as BUILD_BEHIND
from server.rules.install_shadowed import RULE
from tests.server.rules.ruled import BEHIND, HEAD, NEWER, NOW, install, moved, only, rule

KNOWN = moved(("2.1.329", NOW - 9_000), ("2.1.330", NOW - 3_600))
OLD = install(BEHIND)
UNUSED = install(HEAD, method="native", place="versions", starts=())


def test_the_newer_copy_and_the_way_to_start_it_are_told() -> None:
    """Facts 7.3, "two installs, shadowing"."""
    finding = only(rule(RULE, OLD, UNUSED, known=KNOWN))
    assert finding.sentence == (
        "the terminal starts the npm install 2.1.329, and nothing starts the newer native"
        " install 2.1.330 on the same laptop"
    )
    assert finding.fix == FixRef("unshadow", "npm", "2.1.329")
    assert finding.install == 0


@pytest.mark.parametrize("grace_s", [3_600, 7_200])
def test_it_is_as_severe_as_the_copy_is_late(grace_s: int) -> None:
    """With the same deadline: the one is why the other does not mend."""
    policy = GroupPolicy(grace_s=grace_s)
    shadowed, behind = (
        rule(each, OLD, UNUSED, known=KNOWN, policy=policy) for each in (RULE, BUILD_BEHIND)
    )
    assert only(shadowed).severity == only(behind).severity
    assert only(shadowed).deadline == only(behind).deadline
    if only(shadowed).severity == "pending":
        assert shadowed.changes_at == only(shadowed).deadline


@pytest.mark.parametrize(
    "beside",
    [
        install(BEHIND, method="native", place="versions", starts=()),
        install(HEAD, method="native", starts=("editor",)),
        install(HEAD, method="native", starts=("login-shell",)),
        install(None, method="native", claimed="2.1.330", starts=()),
        install(None, method="native", state="stub", claimed="2.1.330", starts=()),
        install(Build("e" * 64, 10, "binary", "2.1.330", "linux-x64"), starts=()),
    ],
    ids=["not newer", "an editor's", "used", "not examined", "a stub", "not public"],
)
def test_what_cannot_take_its_place_is_no_reason(beside: Install) -> None:
    """Only a newer, public copy that nothing starts."""
    assert rule(RULE, OLD, beside, known=KNOWN).findings == ()


@pytest.mark.parametrize("starts", [("editor",), ("desktop", "sdk"), ()])
def test_only_what_a_terminal_starts_shadows(starts: tuple[str, ...]) -> None:
    """An editor has its own copy, and wants no other."""
    assert rule(RULE, install(BEHIND, starts=starts), UNUSED, known=KNOWN).findings == ()


def test_the_head_shadows_nothing_that_users_have() -> None:
    """A newer copy beside it is no better; the newest of several is named."""
    newer = install(NEWER, method="native", starts=())
    assert rule(RULE, install(HEAD), newer, known=KNOWN).findings == ()
    assert "2.1.331" in only(rule(RULE, OLD, UNUSED, newer, known=KNOWN)).sentence
