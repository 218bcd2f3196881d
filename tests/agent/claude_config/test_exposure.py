"""What a laptop was told remotely, in classes that many share, and nothing besides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import wire
from agent.claude_config import exposure, overrides
from agent.claude_config.exposure import FLAGS_OFF, PLANS, Remote
from agent.testing import recorded
from agent.wire import Exposure

if TYPE_CHECKING:
    from tests.agent.claude_config.conftest import Machine

HOSTS = Path(__file__).parents[2] / "golden" / "hosts" / "managed"
CATALOG = {"version": 5462, "issued_at": "2026-11-20T00:00:00Z", "expires_at": "2026-11-27"}
CANARY = "canary-4711"
ACCOUNT = dict.fromkeys(
    (
        *("accountUuid", "emailAddress", "organizationUuid", "organizationName", "displayName"),
        *("fullName", "organizationRole", "workspaceName", "planDisplayName"),
        *("subscriptionCreatedAt", "accountCreatedAt", "claudeCodeTrialEndsAt"),
    ),
    CANARY,
)
FULL_STATE: dict[str, Any] = {
    "userID": CANARY,
    "machineID": CANARY,
    "primaryApiKey": CANARY,
    "customApiKeyResponses": {"approved": [CANARY]},
    "firstStartTime": CANARY,
    "firstStartVersion": "2.1.240",
    "cachedFeatureFlags": {"tengu_heron_brook": CANARY},
    "cachedExperimentData": {CANARY: {"experimentId": CANARY, "variationId": 1}},
    "clientDataCache": {"text": CANARY},
    "modelAccessCache": {CANARY: [CANARY]},
    "oauthAccount": ACCOUNT | {"billingType": CANARY, "seatTier": "team_standard"},
    "projects": {f"/home/{CANARY}": {"mcpServers": {CANARY: {"env": {CANARY: CANARY}}}}},
    "mcpServers": {CANARY: {"url": CANARY}},
}


def state(machine: Machine, **values: object) -> None:
    """Write the global state file."""
    machine.write(machine.home / ".claude.json", json.dumps(values))


def catalog(machine: Machine, name: str, document: object, folder: str = ".claude") -> None:
    """Write a downloaded model catalog."""
    file = machine.home / folder / "cache/model-catalog" / name
    machine.write(file, json.dumps(document))


def test_an_empty_machine_has_its_flags_on_and_tells_no_class(machine: Machine) -> None:
    """Without a download the catalog in the program counts, and the program tells that."""
    assert machine.examine().exposure == Exposure("on")


@pytest.mark.parametrize("name", FLAGS_OFF)
def test_each_of_the_four_variables_turns_flags_off_from_any_layer(
    machine: Machine, name: str
) -> None:
    """Facts 3.5: user settings, managed settings or a start file."""
    machine.write(machine.home / ".bashrc", f"export {name}=1")
    assert machine.examine().exposure == Exposure("off", name)
    machine.user({"env": {name: "1"}})
    assert machine.examine().exposure == Exposure("off", name)
    machine.managed({"env": {name: ""}})
    assert machine.examine().exposure == Exposure("on")


def test_any_value_of_disable_telemetry_counts_and_a_false_flag_does_not(machine: Machine) -> None:
    """Facts 3.5: "any non-empty value, even 0"."""
    machine.user({"env": {"DO_NOT_TRACK": "0", "DISABLE_GROWTHBOOK": "false"}})
    assert machine.examine().exposure.flags == "on"
    machine.user({"env": {"DO_NOT_TRACK": "0", "DISABLE_TELEMETRY": "0"}})
    assert machine.examine().exposure == Exposure("off", "DISABLE_TELEMETRY")


def test_of_several_variables_always_the_same_is_told(machine: Machine) -> None:
    """The order of a file must not make another profile."""
    machine.user({"env": dict.fromkeys(reversed(FLAGS_OFF), "1")})
    assert machine.examine().exposure.flags_off_by == FLAGS_OFF[0]


def test_the_newest_downloaded_catalog_is_told_by_its_version(machine: Machine) -> None:
    """Other files of the folder, damaged ones too, are no catalogs."""
    catalog(machine, "catalog.json", CATALOG)
    catalog(machine, "old.json", CATALOG | {"version": 5460})
    catalog(machine, "masked-ids.json", {"version": 9999, "ids": []})
    catalog(machine, "text.json", CATALOG | {"version": CANARY})
    machine.write(machine.home / ".claude/cache/model-catalog/unparseable.json", "{")
    facts = machine.examine()
    assert (facts.exposure, facts.problems) == (Exposure("on", model_catalog=5462), ())


def test_the_second_configuration_is_the_one_in_use(machine: Machine) -> None:
    """``CLAUDE_CONFIG_DIR`` moves catalog and state."""
    machine.write(machine.home / ".bashrc", "export CLAUDE_CONFIG_DIR=$HOME/other")
    catalog(machine, "catalog.json", CATALOG)
    catalog(machine, "catalog.json", CATALOG | {"version": 5470}, "other")
    state(machine, firstStartVersion="2.0.9")
    machine.write(machine.home / "other/.claude.json", '{"firstStartVersion": "2.1.330"}')
    wanted = Exposure("on", model_catalog=5470, first_start="2.1.300-399")
    assert machine.examine().exposure == wanted


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("1.0.128", "before-2.1"),
        ("2.0.76", "before-2.1"),
        ("2.1.0", "2.1.0-112"),
        ("2.1.112", "2.1.0-112"),
        ("2.1.113", "2.1.113-199"),
        ("2.1.199", "2.1.113-199"),
        ("2.1.200-dev.1", "2.1.200-299"),
        ("2.1.999", "2.1.900-999"),
        ("2.1.1000", "later"),
        ("3.0.0", "later"),
        ("2.1", None),
        (CANARY, None),
        (2, None),
        (None, None),
    ],
)
def test_first_starts_have_few_classes(version: object, told: str | None) -> None:
    """A version that nobody else began with is not told."""
    assert exposure.first_start_class(version) == told


@pytest.mark.parametrize(
    ("account", "plan"),
    [
        ({"seatTier": "team_standard", "billingType": "usage_based"}, "team-standard"),
        ({"seatTier": "enterprise_usage_based"}, "enterprise-usage"),
        ({"seatTier": CANARY}, "other"),
        ({"billingType": "stripe_subscription"}, "subscription"),
        ({"seatTier": None, "billingType": CANARY}, "other"),
        ({"seatTier": 1, "billingType": [CANARY]}, None),
        ({}, None),
        (CANARY, None),
        (None, None),
    ],
)
def test_the_plan_is_told_only_as_a_class_and_only_where_it_is_shared(
    machine: Machine, account: object, plan: str | None
) -> None:
    """An account of another shape has no class, and the rest of the file still counts."""
    state(machine, oauthAccount=account, firstStartVersion="2.1.240")
    assert overrides.examine(machine.host, share_plan=True).exposure.plan == plan
    facts = machine.examine()
    assert facts.exposure == Exposure("on", first_start="2.1.200-299")
    assert facts.problems == ()


@pytest.mark.parametrize("share_plan", [False, True])
def test_nothing_personal_of_a_full_state_file_is_kept(
    machine: Machine, *, share_plan: bool
) -> None:
    """Facts 3.6: what is marked PD is neither sent nor held, shared plan or not."""
    state(machine, **FULL_STATE)
    catalog(machine, "catalog.json", CATALOG | {"models": [CANARY]})
    facts = overrides.examine(machine.host, share_plan=share_plan)
    plan = "team-standard" if share_plan else None
    assert facts.exposure == Exposure("on", None, 5462, "2.1.200-299", plan)
    assert CANARY not in repr(facts)


@pytest.mark.parametrize(
    ("system", "told"),
    [
        ("darwin", Exposure("off", "DISABLE_GROWTHBOOK", 5462, "2.1.200-299")),
        ("win32", Exposure("off", "DO_NOT_TRACK", 5470, "before-2.1")),
        ("linux", Exposure("on")),
    ],
)
def test_recorded_laptops_of_each_system_tell_their_classes(system: str, told: Exposure) -> None:
    """From managed variables, and from the configuration folder that is in use."""
    tree = (HOSTS / f"{system}.toml").read_text(encoding="utf-8")
    assert overrides.examine(recorded(tree)).exposure == told


@given(st.sets(st.sampled_from([*FLAGS_OFF, "OTHER"])), st.text(), st.text(), st.text())
def test_every_exposure_fits_the_wire(
    effective: set[str], version: str, seat: str, billing: str
) -> None:
    """A word that the wire refuses would lose the whole profile."""
    plan = exposure.plan_class(seat=seat, billing=billing)
    assert plan is None or plan in PLANS
    remote = Remote(1, exposure.first_start_class(version), plan)
    found = exposure.of(effective, remote)
    assert msgspec.convert(msgspec.to_builtins(found), wire.Exposure) == found
