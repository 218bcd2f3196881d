"""Running sessions that execute something else than what is installed."""

import pytest

from agent.fix import render
from agent.wire import Build, Install, Profile, Session, SessionFile
from server.policy import GroupPolicy
from server.releases.identify import ABSENT_KEPT_S
from server.releases.ledger import Ledger, Lookup
from server.rules.interface import Ruling
from server.rules.session_outdated import RULE
from tests.server.rules.ruled import (
    BEHIND,
    CLEAN,
    HEAD,
    NEWER,
    NOW,
    OTHER_BYTES,
    install,
    ledger,
    moved,
    only,
    rule,
)

REPLACED = NOW - 3_600
KNOWN = moved(("2.1.329", NOW - 9_000), ("2.1.330", REPLACED))
BACK = moved(("2.1.329", NOW - 9_000), ("2.1.330", NOW - 7_200), ("2.1.329", REPLACED))
UNKNOWN = Build("e" * 64, 10, "binary", "2.1.332", "linux-x64")


def running(
    *sessions: Session,
    beside: Install | None = None,
    known: Ledger = KNOWN,
    policy: GroupPolicy | None = None,
) -> Ruling:
    """What is said of sessions on a laptop whose terminal starts the head."""
    told = Profile(1, "linux", "x64", (beside or install(HEAD),), config=CLEAN, sessions=sessions)
    return rule(RULE, profile=told, known=known, policy=policy)


def test_what_is_installed_may_run() -> None:
    """So may the head, whether or not a copy has it."""
    assert running(Session("present", HEAD)) == Ruling()
    beside = install(BEHIND)
    assert running(Session("present", HEAD), beside=beside).findings == ()


@pytest.mark.parametrize("known", [KNOWN, BACK], ids=["behind", "withdrawn"])
@pytest.mark.parametrize(("grace_s", "severity"), [(3_601, "pending"), (3_600, "drift")])
def test_an_old_build_has_the_groups_grace(known: Ledger, grace_s: int, severity: str) -> None:
    """From when users were given another one; then it has to be started again."""
    build, copy = (BEHIND, HEAD) if known is KNOWN else (HEAD, BEHIND)
    ruling = running(
        Session("replaced", build),
        beside=install(copy),
        known=known,
        policy=GroupPolicy(grace_s=grace_s),
    )
    finding = only(ruling)
    assert (finding.severity, finding.deadline) == (severity, REPLACED + grace_s)
    assert finding.fix is not None
    assert render(finding.fix) is not None
    if severity == "pending":
        assert ruling.changes_at == REPLACED + grace_s


@pytest.mark.parametrize("beside", [HEAD, BEHIND], ids=["installed", "not installed"])
@pytest.mark.parametrize("file", ["deleted", "replaced"])
def test_a_file_that_is_gone_is_told_while_its_session_runs(
    file: SessionFile, beside: Build
) -> None:
    """It can start nothing more by its own path; the bytes themselves are the public ones."""
    finding = only(running(Session(file, HEAD), beside=install(beside)))
    assert (finding.severity, finding.deadline) == ("pending", None)
    sentence = f"a running session of 2.1.330, whose file was {file}, goes on all the same"
    assert finding.sentence == sentence


def test_bytes_that_a_copy_has_are_judged_as_that_copy() -> None:
    """One rule alone tells that they are behind."""
    assert running(Session("present", BEHIND), beside=install(BEHIND)).findings == ()
    unknown = install(UNKNOWN)
    assert running(Session("present", UNKNOWN), beside=unknown).findings == ()


def test_a_build_ahead_waits_for_a_reading_and_is_then_drift() -> None:
    """As an installed one; the lane is the permission."""
    told = Session("present", NEWER)
    waiting = running(told, known=ledger(newer_is_public=True))
    assert only(waiting).severity == "pending"
    assert waiting.lookups == {"2.1.331"}
    asked = ledger(Lookup("2.1.331", NOW - 20, NOW - 10, "found"), newer_is_public=True)
    assert only(running(told, known=asked)).severity == "drift"
    ahead = GroupPolicy(lane="ahead")
    assert only(running(told, known=asked, policy=ahead)).severity == "exempt"


def test_other_bytes_than_the_public_ones_are_drift() -> None:
    """Also where they run from memory alone."""
    finding = only(running(Session("deleted", OTHER_BYTES)))
    assert finding.severity == "drift"
    assert finding.sentence.endswith("has other bytes than the public 2.1.330")


def test_a_number_that_was_never_public_is_drift_unless_the_lane_is_ahead() -> None:
    """And is asked for again when the answer is old."""
    known = ledger(Lookup("2.1.332", NOW - 20, NOW, "absent", "npm does not list it"))
    ruling = running(Session("present", UNKNOWN), known=known)
    assert (only(ruling).severity, ruling.changes_at) == ("drift", NOW + ABSENT_KEPT_S)
    ahead = GroupPolicy(lane="ahead")
    told = running(Session("present", UNKNOWN), known=known, policy=ahead)
    assert only(told).severity == "exempt"


@pytest.mark.parametrize(
    ("told", "why", "lookups"),
    [
        (Session("deleted", None, "no access"), "cannot be checked: no access", set()),
        (Session("present", None), "cannot be checked: it was not examined", set()),
        (Session("present", UNKNOWN), "its version is being looked up", {"2.1.332"}),
        (Session("present", Build("e" * 64, 1, "binary")), "carry no version", set()),
    ],
)
def test_what_cannot_be_checked_is_unknown(told: Session, why: str, lookups: set[str]) -> None:
    """With its reason; what a source can answer is asked."""
    ruling = running(told)
    assert only(ruling).severity == "unknown"
    assert why in only(ruling).sentence
    assert ruling.lookups == lookups


def test_without_a_head_an_old_session_cannot_be_compared() -> None:
    """It is not called fine for it."""
    stale = moved(("2.1.330", NOW - 90_000), read_at=NOW - 80_000)
    finding = only(running(Session("present", BEHIND), known=stale))
    assert finding.severity == "unknown"


def test_equal_bytes_are_told_once() -> None:
    """The session whose file is gone has more to tell."""
    told = running(Session("present", BEHIND), Session("deleted", BEHIND))
    assert len(told.findings) == 1
    for both in (("present", "deleted"), ("deleted", "present")):
        sessions = (Session("present" if each == "present" else "deleted", HEAD) for each in both)
        assert only(running(*sessions)).severity == "pending"


def test_copies_at_rest_do_not_vouch_for_a_session() -> None:
    """The native installer keeps older builds: a session that runs one is old all the same."""
    kept = install(BEHIND, method="native", place="versions", starts=())
    told = Profile(
        1,
        "linux",
        "x64",
        (install(HEAD), kept),
        config=CLEAN,
        sessions=(Session("present", BEHIND),),
    )
    assert only(rule(RULE, profile=told, known=KNOWN)).severity == "pending"
