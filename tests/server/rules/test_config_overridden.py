"""Behaviour overrides that the policy does not allow."""

import pytest

from agent.wire import Config, FixRef, Override, Profile, Unnamed
from server.policy import GroupPolicy
from server.rules.config_overridden import RULE
from server.rules.interface import Ruling
from tests.server.rules.ruled import CLEAN, HEAD, install, only, rule

EFFORT = Override("setting", "effortLevel", "user", "behaviour", "low")
UNTOLD = Override("variable", "ANTHROPIC_BASE_URL", "environment", "behaviour")


def on(*overrides: Override, policy: GroupPolicy | None = None, counted: bool = True) -> Ruling:
    """What the rule says of these overrides."""
    told = install(HEAD) if counted else install(HEAD, starts=())
    config = Config(1, CLEAN.hash, overrides)
    return rule(RULE, policy=policy, profile=Profile(1, "linux", "x64", (told,), config=config))


def test_an_override_is_drift_with_the_way_to_unset_it() -> None:
    """Told with its value where that may be told, else that it is set."""
    effort, untold = on(EFFORT, UNTOLD).findings
    assert effort.fix == FixRef("unset", "user", "effortLevel")
    assert effort.sentence == "the setting effortLevel is low in the user layer: users run without"
    assert "ANTHROPIC_BASE_URL is set in the environment layer" in untold.sentence


@pytest.mark.parametrize(
    "harmless",
    [
        Override("setting", "effortLevel", "user", "behaviour", "high", is_default=True),
        Override("setting", "effortLevel", "user", "behaviour", "low", shadowed=True),
        Override("setting", "hooks", "user", "personal"),
        Override("variable", "ANTHROPIC_API_KEY", "environment", "secret"),
    ],
)
def test_what_changes_no_behaviour_is_no_finding(harmless: Override) -> None:
    """Defaults, what a higher layer hides, what users have too, and the presence of secrets."""
    assert on(harmless).findings == ()


def test_the_policy_allows_by_pattern() -> None:
    """And only what matches it."""
    ruling = on(EFFORT, UNTOLD, policy=GroupPolicy(allowed_overrides=("effort*",)))
    assert only(ruling).subject == "variable ANTHROPIC_BASE_URL"


def test_keys_without_a_name_are_counted_as_one_finding_per_layer() -> None:
    """Their effect is not known, so they are not harmless."""
    config = Config(1, CLEAN.hash, unnamed=(Unnamed("user", 3), Unnamed("managed", 1)))
    found = rule(RULE, profile=Profile(1, "linux", "x64", (install(HEAD),), config=config)).findings
    assert [item.sentence.partition(" in ")[0] for item in found] == ["3 keys", "a key"]


def test_without_a_counted_install_there_is_nothing_to_override() -> None:
    """Settings of a laptop that starts no Claude Code change nothing."""
    assert on(EFFORT, counted=False).findings == ()
