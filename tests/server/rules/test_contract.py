"""What every rule holds to, also the one that is written next: found by listing the folder."""

import pkgutil
import re

import pytest
from hypothesis import given, settings

from agent.fix import render
from agent.wire import Profile
from server import rules
from server.policy import GroupPolicy
from server.releases.ledger import Ledger
from server.rules.interface import Case, Rule
from tests.server import cases
from tests.server.cases import NOW

every_rule = pytest.mark.parametrize("rule", rules.rules(), ids=lambda rule: rule.code)


def test_every_module_of_the_folder_is_a_rule() -> None:
    """Its code is the module's name with dashes, and no two are the same."""
    modules = {info.name.replace("_", "-") for info in pkgutil.iter_modules(rules.__path__)}
    codes = [rule.code for rule in rules.rules()]
    assert sorted(codes) == sorted(modules - {"interface"})


@every_rule
def test_a_rule_explains_itself(rule: Rule) -> None:
    """What a finding means and what to do about it, each a sentence."""
    for text in (rule.says, rule.mend):
        assert re.fullmatch(r"[A-Za-z`].+[.]", text)
        assert len(text) <= 200


@every_rule
@settings(max_examples=200, deadline=None)
@given(profile=cases.profiles, policy=cases.policies, ledger=cases.ledgers)
def test_a_ruling_is_whole(
    rule: Rule, profile: Profile, policy: GroupPolicy, ledger: Ledger
) -> None:
    """Its own code, a known severity, a subject of its own, a readable sentence, a real fix."""
    ruling = rule.examine(Case(profile, policy, ledger, NOW))
    subjects = [item.subject for item in ruling.findings if item.install is None]
    assert len(subjects) == len(set(subjects)) or rule.code in {"config-overridden", "not-examined"}
    assert ruling.changes_at is None or ruling.changes_at > NOW
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in ruling.lookups)
    for item in ruling.findings:
        assert item.code == rule.code
        assert item.severity in {"drift", "unknown", "pending"}
        assert item.subject
        assert 10 <= len(item.sentence) <= 400
        assert "None" not in item.sentence
        assert item.install is None or profile.installs[item.install].counted
        assert item.severity != "pending" or item.since is None or item.since <= NOW
        if item.fix is not None and item.fix.method != "winget":
            assert render(item.fix) is not None
