"""What the product was told remotely, compared with what users are told."""

import pytest

from agent.wire import Config, Exposure, FindingView, FixRef, Override, Profile
from server.policy import GroupPolicy
from server.reference import Reference, of_profiles
from server.rules.exposure_differs import FLAGS_OFF, RULE
from tests.server.rules.ruled import CLEAN, HEAD, install, rule

ON = Exposure("on", model_catalog=5462, first_start="2.1", plan="max")


def variable(key: str, layer: str = "environment") -> Override:
    """One of the variables, set."""
    return Override("variable", key, layer, "behaviour", value=True)


def profile(*overrides: Override, exposure: Exposure | None = None) -> Profile:
    """A laptop that starts the head."""
    config = Config(1, CLEAN.hash, overrides)
    return Profile(1, "linux", "x64", (install(HEAD),), config=config, exposure=exposure)


def on(
    *overrides: Override, exposure: Exposure | None = None, policy: GroupPolicy | None = None
) -> tuple[FindingView, ...]:
    """What the rule says."""
    return rule(RULE, profile=profile(*overrides, exposure=exposure), policy=policy).findings


def like(*profiles: Profile) -> GroupPolicy:
    """A policy whose references have these profiles."""
    return GroupPolicy(reference=of_profiles(profiles))


@pytest.mark.parametrize("key", sorted(FLAGS_OFF))
def test_each_of_the_four_variables_turns_flags_off(key: str) -> None:
    """Drift, with the way to unset it."""
    (finding,) = on(variable(key, "user"))
    assert (finding.severity, finding.subject) == ("drift", f"variable {key}")
    assert finding.fix == FixRef("unset", "user", key)


@pytest.mark.parametrize(
    "exposure",
    [Exposure("off", "DO_NOT_TRACK"), Exposure("off"), Exposure("on")],
    ids=["by it", "by something", "not yet"],
)
def test_a_variable_is_told_once_whatever_the_exposure(exposure: Exposure) -> None:
    """It is an override also while running sessions have not read it."""
    subjects = [item.subject for item in on(variable("DO_NOT_TRACK"), exposure=exposure)]
    assert subjects.count("variable DO_NOT_TRACK") == 1


@pytest.mark.parametrize(
    ("by", "subject"), [("DISABLE_TELEMETRY", "variable DISABLE_TELEMETRY"), (None, "flags")]
)
def test_flags_that_are_off_are_told_though_no_variable_shows_it(
    by: str | None, subject: str
) -> None:
    """Whatever turned them off; where it is set is not known."""
    (finding,) = on(exposure=Exposure("off", by))
    assert (finding.severity, finding.subject, finding.fix) == ("drift", subject, None)


def test_what_users_have_is_no_complaint() -> None:
    """Flags that are fetched, and nothing to compare the rest with."""
    assert on(exposure=ON) == ()
    assert on() == ()


@pytest.mark.parametrize(
    "policy",
    [
        GroupPolicy(allowed_overrides=("DO_NOT_*",)),
        like(profile(variable("DO_NOT_TRACK"), exposure=Exposure("off", "DO_NOT_TRACK"))),
        GroupPolicy(reference=Reference(exposures=(Exposure("off", "DO_NOT_TRACK"),), machines=1)),
    ],
    ids=["allowed", "a reference sets it", "a reference has its flags off by it"],
)
def test_what_the_policy_or_a_reference_has_is_permitted(policy: GroupPolicy) -> None:
    """The variable itself, and that the flags are off by it."""
    told = Exposure("off", "DO_NOT_TRACK")
    assert on(variable("DO_NOT_TRACK"), exposure=told, policy=policy) == ()
    assert on(exposure=told, policy=policy) == ()
    assert len(on(variable("DISABLE_TELEMETRY"), exposure=told, policy=policy)) == 1


def test_flags_on_where_every_reference_has_them_off_differ_too() -> None:
    """Users are known to run without."""
    policy = like(profile(exposure=Exposure("off")))
    (finding,) = on(exposure=Exposure("on"), policy=policy)
    assert (finding.severity, finding.subject) == ("drift", "flags")
    assert on(exposure=Exposure("off"), policy=policy) == ()


@pytest.mark.parametrize("catalog", [5461, 5463])
def test_another_model_catalog_is_pending(catalog: int) -> None:
    """It is fetched anew by itself; the one of any reference is right."""
    policy = like(profile(exposure=ON), profile(exposure=Exposure("on", model_catalog=5460)))
    told = Exposure("on", model_catalog=catalog, first_start="2.1", plan="max")
    (finding,) = on(exposure=told, policy=policy)
    assert finding.severity == "pending"
    assert finding.sentence == (
        f"the model catalog is {catalog}; the reference machines have 5460 or 5462"
    )
    assert on(exposure=Exposure("on", model_catalog=5460), policy=policy) == ()


def test_what_users_differ_in_is_a_note() -> None:
    """First start and plan; where they are not told there is nothing to note."""
    other = Exposure("on", model_catalog=5462, first_start="2.0", plan="pro")
    found = on(exposure=other, policy=like(profile(exposure=ON)))
    assert [(item.severity, item.subject) for item in found] == [
        ("note", "first start"),
        ("note", "plan"),
    ]
    assert on(exposure=Exposure("on", model_catalog=5462), policy=like(profile(exposure=ON))) == ()


@pytest.mark.parametrize("exposure", [None, Exposure("on", first_start="2.1", plan="max")])
def test_what_references_tell_and_a_laptop_does_not_is_unknown(exposure: Exposure | None) -> None:
    """Not told is not the same."""
    (finding,) = on(exposure=exposure, policy=like(profile(exposure=ON)))
    assert finding.severity == "unknown"


def test_without_a_counted_install_nothing_is_compared() -> None:
    """Nothing there is told anything."""
    resting = Profile(1, "linux", "x64", config=CLEAN, exposure=Exposure("off"))
    assert rule(RULE, profile=resting).findings == ()
