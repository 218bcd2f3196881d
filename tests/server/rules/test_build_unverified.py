"""Bytes that cannot be checked, or not yet."""

import pytest

from agent.wire import Build, Install
from server.releases.identify import RETRY_S
from server.releases.ledger import Lookup
from server.rules.build_unverified import RULE
from tests.server.rules.ruled import HEAD, NEWER, NOW, install, ledger, only, rule


def test_a_number_not_asked_for_yet_is_looked_up() -> None:
    """Unknown meanwhile, and it says so."""
    ruling = rule(RULE, install(NEWER))
    assert only(ruling).severity == "unknown"
    assert only(ruling).sentence.endswith("2.1.331 is being looked up")
    assert (ruling.lookups, ruling.changes_at) == (frozenset({"2.1.331"}), None)


def test_a_look_up_that_failed_is_tried_again() -> None:
    """After some minutes; the reason is told until then."""
    known = ledger(Lookup("2.1.331", NOW - 9, NOW, "failed", "npm timed out"))
    waiting = rule(RULE, install(NEWER), known=known)
    again = rule(RULE, install(NEWER), known=known, now=NOW + RETRY_S)
    assert only(waiting).sentence.endswith("npm timed out")
    assert (waiting.changes_at, waiting.lookups) == (NOW + RETRY_S, frozenset())
    assert (again.changes_at, again.lookups) == (None, frozenset({"2.1.331"}))


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (install(Build("e" * 64, 1, "binary")), "its bytes carry no version"),
        (install(None, state="not-examined", reason="no access"), "no access"),
        (install(None, state="not-examined"), "it was not examined"),
    ],
)
def test_what_could_not_be_read_is_unknown_with_its_reason(told: Install, reason: str) -> None:
    """There is no question that a source could answer."""
    ruling = rule(RULE, told)
    assert only(ruling).sentence.endswith(f"cannot be checked: {reason}")
    assert ruling.lookups == frozenset()


def test_public_bytes_and_stubs_are_not_its_business() -> None:
    """The one is known, the other has a rule of its own."""
    assert rule(RULE, install(HEAD), install(None, state="stub")).findings == ()
