"""Keys that stop updates, or follow another channel."""

import pytest

from agent.wire import Config, FindingView, FixRef, Override, Profile
from server.policy import GroupPolicy
from server.reference import Reference, said
from server.rules.updates_off import RULE
from tests.server.rules.ruled import CLEAN, HEAD, install, rule

PIN = Override("variable", "DISABLE_AUTOUPDATER", "environment", "behaviour", value=True)
ALL = Override("variable", "DISABLE_UPDATES", "user", "behaviour", value=True)
STABLE = Override("setting", "autoUpdatesChannel", "user", "behaviour", "stable")
UNTOLD = Override("setting", "autoUpdatesChannel", "user", "behaviour")
OFF = Override("setting", "autoUpdates", "state", "behaviour", value=False)
CEILING = Override("setting", "requiredMaximumVersion", "managed", "behaviour")


def on(
    *overrides: Override, policy: GroupPolicy | None = None, method: str = "npm"
) -> tuple[FindingView, ...]:
    """What the rule says of these overrides beside one install."""
    config = Config(1, CLEAN.hash, overrides)
    profile = Profile(1, "linux", "x64", (install(HEAD, method=method),), config=config)
    return rule(RULE, profile=profile, policy=policy).findings


@pytest.mark.parametrize("override", [PIN, ALL, CEILING])
@pytest.mark.parametrize("method", ["npm", "native", "homebrew"])
def test_a_switch_is_drift_whatever_is_installed(override: Override, method: str) -> None:
    """Users do not have it, and the next copy may update itself."""
    (finding,) = on(override, method=method)
    assert finding.severity == "drift"
    assert finding.fix == FixRef("unset", override.layer, override.key)
    assert "stops updates" in finding.sentence


@pytest.mark.parametrize(("method", "told"), [("npm", 1), ("native", 0)])
def test_the_setting_counts_where_it_is_not_ignored(method: str, told: int) -> None:
    """A native install updates all the same."""
    assert len(on(OFF, method=method)) == told


@pytest.mark.parametrize(
    ("channel", "override", "told"),
    [
        ("latest", STABLE, 1),
        ("stable", STABLE, 0),
        ("machine", STABLE, 0),
        ("latest", UNTOLD, 1),
        ("stable", UNTOLD, 1),
        ("machine", UNTOLD, 0),
    ],
)
def test_the_channel_of_the_policy_is_the_right_one(
    channel: str, override: Override, told: int
) -> None:
    """Under ``machine`` each laptop's own is."""
    assert len(on(override, policy=GroupPolicy(channel=channel))) == told


def test_another_channel_is_told_with_both_names() -> None:
    """The way back is to choose none."""
    (finding,) = on(STABLE)
    assert finding.sentence == (
        "the setting autoUpdatesChannel in the user layer follows the channel stable;"
        " the group follows latest"
    )


@pytest.mark.parametrize(
    "policy",
    [
        GroupPolicy(allowed_overrides=("DISABLE_*",)),
        GroupPolicy(reference=Reference(frozenset({said(PIN)}), frozenset(), (), 1)),
    ],
    ids=["allowed", "a reference has it"],
)
def test_what_is_permitted_is_no_complaint(policy: GroupPolicy) -> None:
    """By the policy's patterns, or because users have it."""
    assert on(PIN, policy=policy) == ()


def test_without_a_counted_install_nothing_is_stopped() -> None:
    """Nor by a value that a higher layer hides or that is the default."""
    config = Config(1, CLEAN.hash, (PIN,))
    resting = Profile(1, "linux", "x64", (install(HEAD, starts=()),), config=config)
    assert rule(RULE, profile=resting).findings == ()
    hidden = Override("variable", "DISABLE_UPDATES", "user", "behaviour", value=True, shadowed=True)
    default = Override(
        "variable", "DISABLE_UPDATES", "user", "behaviour", value=False, is_default=True
    )
    assert on(hidden, default) == ()
