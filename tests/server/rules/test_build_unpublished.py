"""Numbers and names that were never public."""

from agent.wire import Build
from server.releases.identify import ABSENT_KEPT_S
from server.releases.ledger import Lookup
from server.rules.build_unpublished import RULE
from tests.server.rules.ruled import NEWER, NOW, install, ledger, only, rule

ABSENT = Lookup("2.1.331", NOW - 20, NOW, "absent", "npm does not list it")


def test_a_number_that_no_source_lists_is_drift() -> None:
    """With the source's own word for it."""
    finding = only(rule(RULE, install(NEWER), known=ledger(ABSENT)))
    assert finding.severity == "drift"
    assert finding.sentence.endswith("was never public: npm does not list it")


def test_the_answer_is_asked_for_again_after_an_hour() -> None:
    """A number may become public later; until then the finding stays."""
    before = rule(RULE, install(NEWER), known=ledger(ABSENT), now=NOW + ABSENT_KEPT_S - 1)
    after = rule(RULE, install(NEWER), known=ledger(ABSENT), now=NOW + ABSENT_KEPT_S)
    assert (before.changes_at, before.lookups) == (NOW + ABSENT_KEPT_S, frozenset())
    assert (after.changes_at, after.lookups) == (NOW + 2 * ABSENT_KEPT_S, frozenset({"2.1.331"}))
    assert before.findings == after.findings


def test_an_answer_that_was_not_renewed_for_two_hours_is_no_answer() -> None:
    """The number may be public by now: it is being looked up, and nobody is told otherwise."""
    late = rule(RULE, install(NEWER), known=ledger(ABSENT), now=NOW + 2 * ABSENT_KEPT_S)
    assert late.findings == ()


def test_a_foreign_package_name_is_drift_without_asking() -> None:
    """Its bytes say so themselves."""
    foreign = Build("e" * 64, 1, "binary", "2.1.330", "linux-x64", package="@anthropic-ai/other")
    ruling = rule(RULE, install(foreign))
    assert "its package name @anthropic-ai/other is not the public one" in only(ruling).sentence
    assert (ruling.lookups, ruling.changes_at) == (frozenset(), None)


def test_a_number_could_be_explained_by_a_release_and_a_name_never() -> None:
    """Whose sources are read again before anybody is told; a foreign name waits for nothing."""
    foreign = Build("e" * 64, 1, "binary", "2.1.330", "linux-x64", package="@anthropic-ai/other")
    number = rule(RULE, install(NEWER), known=ledger(ABSENT))
    assert number.outdated == {only(number).subject}
    assert rule(RULE, install(foreign)).outdated == frozenset()
