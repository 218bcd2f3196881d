"""A build from which the head was moved back."""

import pytest

from agent.wire import FixRef
from server.policy import GroupPolicy
from server.rules import build_ahead, build_behind
from server.rules.build_withdrawn import RULE
from tests.server.rules.ruled import BEHIND, HEAD, NOW, install, moved, only, rule

BACK = NOW - 3_600
KNOWN = moved(("2.1.329", NOW - 9_000), ("2.1.330", NOW - 7_200), ("2.1.329", BACK))


@pytest.mark.parametrize(("grace_s", "severity"), [(3_601, "pending"), (3_600, "drift")])
def test_the_grace_runs_from_when_the_head_was_moved_back(grace_s: int, severity: str) -> None:
    """Not from when the build was published, nor from when it became the head."""
    ruling = rule(RULE, install(HEAD), known=KNOWN, policy=GroupPolicy(grace_s=grace_s))
    finding = only(ruling)
    assert (finding.severity, finding.since, finding.deadline) == (severity, BACK, BACK + grace_s)
    assert ruling.changes_at == (BACK + grace_s if severity == "pending" else None)


def test_both_versions_and_the_moment_are_told() -> None:
    """With the way to where users are."""
    finding = only(rule(RULE, install(HEAD), known=KNOWN))
    assert finding.sentence == (
        "the npm install 2.1.330 was withdrawn: latest was moved back to 2.1.329"
        " on 2026-04-24 02:06 UTC"
    )
    assert finding.fix == FixRef("install", "npm", "2.1.329")


def test_it_is_neither_behind_nor_ahead() -> None:
    """One rule alone tells of it."""
    for other in (build_behind.RULE, build_ahead.RULE):
        assert rule(other, install(HEAD), known=KNOWN).findings == ()


def test_the_head_that_came_back_is_not_withdrawn() -> None:
    """Nor is what an editor alone starts: that is lagging."""
    assert rule(RULE, install(BEHIND), known=KNOWN).findings == ()
    assert rule(RULE, install(HEAD, starts=("editor",)), known=KNOWN).findings == ()
