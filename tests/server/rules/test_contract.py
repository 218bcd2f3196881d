"""What every rule holds to, also the one that is written next: found by listing the folder."""

import pkgutil
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.fix import render
from agent.wire import Config, Install, Override, Profile
from server import rules
from server.machine_facts import MachineFacts
from server.policy import GroupPolicy
from server.reference import is_effective
from server.releases.ledger import Ledger
from server.rules.interface import Case, MachineCase, Rule, Ruling
from tests.server import cases
from tests.server.cases import NOW

CODES = {
    "agent-outdated",
    "build-ahead",
    "build-altered",
    "build-behind",
    "build-unpublished",
    "build-unverified",
    "build-withdrawn",
    "cloned-identity",
    "config-overridden",
    "exposure-differs",
    "install-shadowed",
    "install-stub",
    "not-examined",
    "session-outdated",
    "staff-only",
    "surface-lagging",
    "updates-off",
}
"""The words for what can be wrong: they stand in alerts, waivers and the README."""

NO_HASH = "sha256:" + "0" * 64

REPEATING = {
    "config-overridden",
    "exposure-differs",
    "not-examined",
    "staff-only",
    "updates-off",
}
"""Nothing keeps a profile from naming one key twice, or one problem."""

HELPERS = {"interface", "lateness"}
"""Modules of the folder that are no rule."""

every_rule = pytest.mark.parametrize("rule", rules.rules(), ids=lambda rule: rule.code)


def test_every_module_of_the_folder_is_a_rule() -> None:
    """Its code is the module's name with dashes, and no two are the same."""
    modules = {info.name for info in pkgutil.iter_modules(rules.__path__)} - HELPERS
    codes = [rule.code for rule in rules.rules()]
    assert codes == sorted(name.replace("_", "-") for name in modules)


def test_exactly_these_things_can_be_wrong() -> None:
    """A code is a promise to whoever waives or counts it."""
    assert {rule.code for rule in rules.rules()} == CODES


@every_rule
def test_a_rule_explains_itself(rule: Rule) -> None:
    """What a finding means and what to do about it, each a sentence."""
    for text in (rule.says, rule.mend):
        assert re.fullmatch(r"[A-Za-z`].+[.]", text)
        assert 30 <= len(text) <= 200


@settings(max_examples=300, deadline=None)
@given(cases.profiles, cases.policies, cases.ledgers)
def test_every_ruling_is_whole(profile: Profile, policy: GroupPolicy, ledger: Ledger) -> None:
    """Its own code, a known severity, a subject of its own, a readable sentence, a real fix."""
    case = Case(profile, policy, ledger, NOW)
    for rule in rules.rules():
        ruling = rule.examine(case)
        _is_readable(rule, ruling)
        subjects = [item.subject for item in ruling.findings if item.install is None]
        assert len(subjects) == len(set(subjects)) or rule.code in REPEATING
        for item in ruling.findings:
            assert item.install is None or profile.installs[item.install].counted
            assert item.severity != "pending" or item.since is None or item.since <= NOW
            assert item.severity != "pending" or item.deadline is None or item.deadline > NOW


@settings(max_examples=200, deadline=None)
@given(cases.machines, cases.policies)
def test_every_ruling_on_one_machine_is_whole(machine: MachineFacts, policy: GroupPolicy) -> None:
    """As one on a profile; and it asks for no version."""
    for rule in rules.rules():
        ruling = rule.examine_machine(MachineCase(machine, policy, NOW))
        assert ruling.lookups == frozenset()
        _is_readable(rule, ruling)


def _is_readable(rule: Rule, ruling: Ruling) -> None:
    assert ruling.changes_at is None or ruling.changes_at > NOW
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in ruling.lookups)
    for item in ruling.findings:
        assert item.code == rule.code
        assert item.severity in {"drift", "unknown", "pending", "exempt", "note"}
        assert item.subject
        assert 10 <= len(item.sentence) <= 400
        assert "None" not in item.sentence
        assert item.fix is None or item.fix.method == "winget" or render(item.fix) is not None


@settings(max_examples=300, deadline=None)
@given(st.lists(cases.overrides, max_size=3, unique_by=lambda item: item.key), cases.policies)
def test_an_override_is_told_by_one_rule_alone(
    overrides: list[Override], policy: GroupPolicy
) -> None:
    """If it is in effect and nothing permits it; two keys can be right by their value."""
    # A start of an unknown kind counts in every group.
    copy = Install("npm", "global", build=None, starts=("somewhere",))
    told = Profile(1, "linux", "x64", (copy,), config=Config(1, NO_HASH, tuple(overrides)))
    case = Case(told, policy, Ledger(), NOW)
    found = [item.subject for rule in rules.rules() for item in rule.examine(case).findings]
    for item in overrides:
        times = found.count(f"{item.kind} {item.key}")
        assert times <= 1
        off_for_users = {each.flags_off_by for each in policy.reference.exposures}
        permitted = case.permits(item) or item.key in off_for_users
        if is_effective(item) and not permitted and not item.key.startswith("autoUpdates"):
            assert times == 1
