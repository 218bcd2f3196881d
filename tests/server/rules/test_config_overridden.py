"""Behaviour overrides that the policy does not allow."""

import pytest

from agent.wire import Config, FixRef, Override, Profile, Unnamed
from server.policy import GroupPolicy
from server.reference import Reference, said
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


HIGH = Override("setting", "effortLevel", "user", "behaviour", "high")
MANAGED_LOW = Override("setting", "effortLevel", "managed", "behaviour", "low")


def like(*every: Override, some: tuple[Override, ...] = ()) -> GroupPolicy:
    """A policy whose references all have some overrides, and a few of them others."""
    shared = frozenset(said(item) for item in every)
    seen = shared | {said(item) for item in some}
    return GroupPolicy(reference=Reference(seen, shared, (), machines=2))


@pytest.mark.parametrize("policy", [like(EFFORT), like(some=(EFFORT,)), like(MANAGED_LOW)])
def test_what_a_reference_machine_has_is_what_users_run(policy: GroupPolicy) -> None:
    """In whichever layer, and as far as the value is told."""
    assert on(EFFORT, policy=policy).findings == ()
    assert on(UNTOLD, policy=like(UNTOLD)).findings == ()


def test_another_value_than_every_references_is_to_be_set() -> None:
    """Told with both values."""
    finding = only(on(EFFORT, policy=like(HIGH)))
    assert finding.fix == FixRef("set", "user", "effortLevel")
    assert finding.sentence == (
        "the setting effortLevel is low in the user layer: users run with high"
    )


@pytest.mark.parametrize(
    ("here", "shared", "fix", "ending"),
    [
        ((), HIGH, FixRef("set", "user", "effortLevel"), "with high"),
        (
            (Override("setting", "effortLevel", "user", "behaviour", "low", shadowed=True),),
            HIGH,
            FixRef("set", "user", "effortLevel"),
            "with high",
        ),
        (
            (),
            UNTOLD,
            FixRef("set", "environment", "ANTHROPIC_BASE_URL"),
            "with a value that is not told",
        ),
        ((), Override("file", "news", "user", "behaviour"), None, "with a value that is not told"),
    ],
)
def test_what_every_reference_has_is_missed_where_it_is_not_in_effect(
    here: tuple[Override, ...], shared: Override, fix: FixRef | None, ending: str
) -> None:
    """A default is not what users run then."""
    finding = only(on(*here, policy=like(shared)))
    assert (finding.severity, finding.fix) == ("drift", fix)
    assert finding.sentence.endswith(f"is at its default here: users run {ending}")


MODEL = Override("flag", "model", "session", "behaviour", "opus")
BARE = Override("flag", "bare", "session", "behaviour", value=True)
PROMPT = Override("flag", "system-prompt", "session", "behaviour")
SHORT = Override("variable", "CLAUDE_CODE_SIMPLE", "session", "behaviour", value=True)
ENDPOINT = Override("variable", "ANTHROPIC_BASE_URL", "session", "behaviour")


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (MODEL, "--model opus"),
        (BARE, "--bare"),
        (PROMPT, "--system-prompt"),
        (SHORT, "the variable CLAUDE_CODE_SIMPLE set to true"),
        (ENDPOINT, "the variable ANTHROPIC_BASE_URL set"),
    ],
)
def test_what_a_session_was_started_with_is_told_as_that(item: Override, told: str) -> None:
    """It is mended where Claude Code is started; the subject is the same in every layer."""
    finding = only(on(item))
    assert finding.sentence == f"a running session was started with {told}: users run without"
    assert (finding.subject, finding.fix) == (
        f"{item.kind} {item.key}",
        FixRef("unset", "session", item.key),
    )


def test_a_policy_names_a_flag_with_its_dashes() -> None:
    """A setting of the same name is another thing; a star is everything."""
    setting = Override("setting", "model", "user", "behaviour", "opus")
    flags = GroupPolicy(allowed_overrides=("--m*",))
    assert only(on(MODEL, setting, policy=flags)).subject == "setting model"
    settings = GroupPolicy(allowed_overrides=("model",))
    assert only(on(MODEL, setting, policy=settings)).subject == "flag model"
    assert on(MODEL, setting, policy=GroupPolicy(allowed_overrides=("*",))).findings == ()


def test_files_that_users_have_too_are_no_finding() -> None:
    """A kind of file that changes behaviour, and has no rule of its own, is one."""
    assert on(Override("file", "memory", "user", "personal")).findings == ()
    finding = only(on(Override("file", "news", "user", "behaviour")))
    assert finding.sentence == "the file news is there, in the user layer: users run without"


def test_what_only_some_references_have_is_not_missed() -> None:
    """Users run with and without it; and what the policy allows may be either."""
    assert on(policy=like(some=(HIGH,))).findings == ()
    allowed = GroupPolicy(allowed_overrides=("effort*",), reference=like(HIGH).reference)
    assert on(policy=allowed).findings == ()


@pytest.mark.parametrize("key", ["DISABLE_UPDATES", "DISABLE_TELEMETRY", "USER_TYPE"])
def test_keys_with_a_rule_of_their_own_are_told_there(key: str) -> None:
    """Also where references have them."""
    override = Override("variable", key, "environment", "behaviour", value=True)
    assert on(override).findings == ()
    assert on(policy=like(override)).findings == ()


def test_a_version_window_is_an_override_like_others() -> None:
    """A floor stops no update."""
    floor = Override("setting", "minimumVersion", "user", "behaviour")
    assert only(on(floor)).subject == "setting minimumVersion"
