"""A public build above the head of its channel."""

from agent.wire import FixRef
from server.releases.ledger import Lookup
from server.rules.build_ahead import RULE
from tests.server.rules.ruled import NEWER, NOW, install, ledger, only, rule


def test_until_the_head_was_read_again_it_is_pending_and_looked_up() -> None:
    """The laptop may simply have been faster than our reading."""
    ruling = rule(RULE, install(NEWER), known=ledger(newer_is_public=True))
    assert only(ruling).severity == "pending"
    assert only(ruling).fix is None
    assert ruling.lookups == {"2.1.331"}


def test_after_a_later_reading_it_is_drift_with_the_way_back() -> None:
    """The fix installs the channel's own version."""
    asked = Lookup("2.1.331", NOW - 20, NOW - 10, "found")
    ruling = rule(RULE, install(NEWER), known=ledger(asked, newer_is_public=True))
    assert only(ruling).severity == "drift"
    assert only(ruling).fix == FixRef("install", "npm", "2.1.330")
    assert ruling.lookups == frozenset()


def test_a_reading_from_before_the_question_proves_nothing() -> None:
    """The head may have moved since."""
    asked = Lookup("2.1.331", NOW + 20, NOW + 30, "found")
    ruling = rule(RULE, install(NEWER), known=ledger(asked, newer_is_public=True), now=NOW + 60)
    assert only(ruling).severity == "pending"
