"""Names that no public user has a reason to set."""

import pytest

from agent.claude_config.keys import load
from agent.fix import render
from agent.wire import Config, FindingView, FixRef, Override, Profile
from server.policy import GroupPolicy
from server.reference import Reference, said
from server.rules.staff_only import FILES, NAMES, RULE
from tests.server.rules.ruled import CLEAN, HEAD, install, rule


def on(
    *keys: str, policy: GroupPolicy | None = None, kind: str = "variable"
) -> tuple[FindingView, ...]:
    """What the rule says of these keys in the environment."""
    overrides = tuple(_override(key, kind) for key in keys)
    config = Config(1, CLEAN.hash, overrides)
    profile = Profile(1, "linux", "x64", (install(HEAD),), config=config)
    return rule(RULE, profile=profile, policy=policy).findings


def _override(key: str, kind: str) -> Override:
    return Override(
        "variable" if kind == "variable" else "setting", key, "environment", "behaviour"
    )


@pytest.mark.parametrize(
    "key",
    [*sorted(NAMES), "CLAUDE_INTERNAL_FC_OVERRIDES", "ANT_ANYTHING", "CLAUDE_LOCAL_OAUTH_API_BASE"],
)
def test_a_red_flag_name_is_drift_with_the_way_to_unset_it(key: str) -> None:
    """Every one of facts 3.5; the laptop tells each of them by name."""
    (finding,) = on(key)
    assert (finding.severity, finding.subject) == ("drift", f"variable {key}")
    assert finding.fix == FixRef("unset", "environment", key)
    known = load().named("variable", key)
    assert known is not None
    assert known.key_class == "behaviour"


def test_signing_in_elsewhere_is_told_in_words() -> None:
    """A name alone says little to who reads it."""
    (finding,) = on("USE_STAGING_OAUTH")
    assert finding.sentence == (
        "the variable USE_STAGING_OAUTH is set in the environment layer:"
        " Claude Code signs in elsewhere than users do"
    )


@pytest.mark.parametrize("key", sorted(FILES))
def test_the_state_of_another_sign_in_is_drift_with_the_way_to_delete_it(key: str) -> None:
    """Every one of facts 3.3; the laptop tells each of them by its kind."""
    config = Config(1, CLEAN.hash, (Override("file", key, "state", "behaviour"),))
    profile = Profile(1, "linux", "x64", (install(HEAD),), config=config)
    (finding,) = rule(RULE, profile=profile).findings
    assert (finding.severity, finding.subject) == ("drift", f"file {key}")
    assert "signed in elsewhere" in finding.sentence
    assert finding.fix is not None
    command = render(finding.fix)
    assert command is not None
    assert command.text == f"delete ~/.claude-{key.removesuffix('-state')}.json"
    known = load().named("file", key)
    assert known is not None
    assert known.key_class == "behaviour"


def test_the_lane_is_the_only_permission() -> None:
    """Neither a list of allowed keys nor a reference machine makes it public."""
    seen = frozenset({said(_override("USER_TYPE", "variable"))})
    allowed = GroupPolicy(allowed_overrides=("*",), reference=Reference(seen, seen, (), 1))
    assert [item.severity for item in on("USER_TYPE", policy=allowed)] == ["drift"]
    ahead = GroupPolicy(lane="ahead")
    assert [item.severity for item in on("USER_TYPE", policy=ahead)] == ["exempt"]


def test_other_names_are_not_its_business() -> None:
    """Nor a setting that is called like one of its variables."""
    assert on("ANTHROPIC_MODEL", "CLAUDE_CODE_EFFORT_LEVEL", "DISABLE_TELEMETRY") == ()
    assert on("USER_TYPE", kind="setting") == ()
