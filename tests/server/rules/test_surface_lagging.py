"""Copies that only an editor, the desktop app or an SDK starts."""

from pathlib import Path

import pytest

from agent.wire import Build, FixRef
from server.policy import GroupPolicy
from server.releases import manifest
from server.releases.ledger import Artifact, Ledger, Reading, Release
from server.rules import build_behind, build_withdrawn
from server.rules.interface import Ruling
from server.rules.surface_lagging import RULE
from tests.server.rules.ruled import BEHIND, HEAD, NEWER, NOW, install, moved, only, rule

DAY = 86_400
REPLACED = NOW - 3 * DAY
KNOWN = moved(("2.1.329", NOW - 9 * DAY), ("2.1.330", REPLACED))
MANIFESTS = Path(__file__).parents[2] / "golden" / "manifests"


@pytest.mark.parametrize(
    ("starts", "days"),
    [(("editor",), 2), (("desktop",), 14), (("sdk",), 30), (("desktop", "sdk"), 14)],
)
def test_each_surface_has_a_tolerance_of_its_own(starts: tuple[str, ...], days: int) -> None:
    """From when the build was replaced; of several surfaces the least patient counts."""
    policy = GroupPolicy(editor_tolerance_s=2 * DAY)
    ruling = rule(RULE, install(BEHIND, starts=starts), known=KNOWN, policy=policy)
    finding = only(ruling)
    assert (finding.since, finding.deadline) == (REPLACED, REPLACED + days * DAY)
    assert finding.severity == ("drift" if days < 3 else "pending")
    assert ruling.changes_at == (finding.deadline if days > 3 else None)


def test_pending_becomes_drift_exactly_at_the_tolerance() -> None:
    """Not a second before."""
    for tolerance_s, severity in ((3 * DAY + 1, "pending"), (3 * DAY, "drift")):
        policy = GroupPolicy(editor_tolerance_s=tolerance_s)
        told = rule(RULE, install(BEHIND, starts=("editor",)), known=KNOWN, policy=policy)
        assert only(told).severity == severity


@pytest.mark.parametrize("starts", [("terminal", "editor"), ("terminal",), ("somewhere",)])
def test_what_a_terminal_starts_too_has_no_tolerance(starts: tuple[str, ...]) -> None:
    """Nor what something unknown starts: that is behind, by the group's grace."""
    copy = install(BEHIND, starts=starts)
    assert rule(RULE, copy, known=KNOWN).findings == ()
    assert only(rule(build_behind.RULE, copy, known=KNOWN)).severity == "drift"


def test_a_terminal_that_does_not_count_takes_no_tolerance_away() -> None:
    """The group looks at editors alone."""
    policy = GroupPolicy(surfaces=frozenset({"editor"}), editor_tolerance_s=9 * DAY)
    copy = install(BEHIND, starts=("terminal", "editor"))
    assert only(rule(RULE, copy, known=KNOWN, policy=policy)).severity == "pending"


def test_one_rule_alone_tells_of_such_a_copy() -> None:
    """Also where the head was moved back from it."""
    back = moved(("2.1.329", NOW - 9_000), ("2.1.330", NOW - 7_200), ("2.1.329", NOW - 3_600))
    for build, known in ((BEHIND, KNOWN), (HEAD, back)):
        copy = install(build, starts=("editor",))
        assert only(rule(RULE, copy, known=known)).code == "surface-lagging"
        for other in (build_behind.RULE, build_withdrawn.RULE):
            assert rule(other, copy, known=known).findings == ()


def test_the_program_that_brings_it_is_what_has_to_be_updated() -> None:
    """The sentence names the surfaces, the fix the version to reach."""
    finding = only(rule(RULE, install(BEHIND, starts=("desktop", "sdk")), known=KNOWN))
    assert finding.sentence.startswith(
        "the npm install 2.1.329, which desktop and sdk start, lags behind latest, 2.1.330"
    )
    assert finding.fix == FixRef("install", "npm", "2.1.330")


def accepting(*wrappers: str) -> Ledger:
    """The head was tested with these wrappers."""
    release = Release("2.1.330", tested_wrappers=wrappers)
    return moved(("2.1.329", NOW - 9 * DAY), ("2.1.330", REPLACED), releases=(release,))


@pytest.mark.parametrize(
    ("wrappers", "severity"),
    [
        (("0.3.330", "0.3.331"), "drift"),
        (("0.3.330", "0.3.329"), "pending"),
        (("0.3.328",), "pending"),
        ((), "pending"),
        (("nonsense",), "pending"),
    ],
)
@pytest.mark.parametrize("surface", ["desktop", "sdk"])
def test_a_wrapper_older_than_every_tested_one_has_no_time_left(
    surface: str, wrappers: tuple[str, ...], severity: str
) -> None:
    """Where the head's manifest names none, the tolerance alone counts."""
    told = rule(RULE, install(BEHIND, starts=(surface,)), known=accepting(*wrappers))
    assert only(told).severity == severity


def test_an_editor_has_no_wrapper() -> None:
    """Its extension brings the very program."""
    policy = GroupPolicy(editor_tolerance_s=9 * DAY)
    told = rule(
        RULE, install(BEHIND, starts=("editor",)), known=accepting("0.3.331"), policy=policy
    )
    assert only(told).severity == "pending"


def against_real(version: str) -> Ruling:
    """A desktop copy of a version against the real manifest of 2.1.330."""
    release = manifest.parse((MANIFESTS / "2.1.330.json").read_bytes()).release
    build = Build("e" * 64, 10, "binary", version, "darwin-arm64")
    known = Ledger(
        [
            Reading("npm", "latest", version, NOW - DAY, NOW - 7_201),
            Reading("npm", "latest", "2.1.330", NOW - 7_200, NOW),
        ],
        [release],
        [Artifact(version, build.platform, build.form, build.sha256, 10, "signed", "npm")],
    )
    return rule(RULE, install(build, starts=("desktop",)), known=known)


@pytest.mark.parametrize(
    ("version", "severity"),
    [("2.1.329", "pending"), ("2.1.296", "pending"), ("2.1.295", "drift"), ("2.1.141", "drift")],
)
def test_a_real_manifest_tells_how_far_a_wrapper_may_lag(version: str, severity: str) -> None:
    """2.1.330 was tested with 0.3.296 to 0.3.329; CLI 2.1.141 has wrapper 0.2.141."""
    assert only(against_real(version)).severity == severity


@pytest.mark.parametrize(
    ("version", "wrappers", "severity"),
    [
        ("2.1.141", ("0.2.142", "0.3.150"), "drift"),
        ("2.1.141", ("0.2.141",), "pending"),
        ("2.1.142", ("0.3.142",), "pending"),
        ("2.1.142", ("0.3.143",), "drift"),
        ("2.0.77", ("0.3.143",), "pending"),
    ],
)
def test_wrappers_changed_their_numbers_after_2_1_141(
    version: str, wrappers: tuple[str, ...], severity: str
) -> None:
    """Facts 1.4; what was before 2.1 has no wrapper whose number is known."""
    build = Build("e" * 64, 10, "binary", version, "linux-x64")
    known = Ledger(
        [
            Reading("npm", "latest", version, NOW - DAY, NOW - 7_201),
            Reading("npm", "latest", "2.1.330", NOW - 7_200, NOW),
        ],
        [Release("2.1.330", tested_wrappers=wrappers)],
        [Artifact(version, build.platform, build.form, build.sha256, 10, "signed", "npm")],
    )
    told = rule(RULE, install(build, starts=("sdk",)), known=known)
    assert only(told).severity == severity


def test_the_head_and_what_is_newer_do_not_lag() -> None:
    """Nor does a copy at rest."""
    for copy in (
        install(HEAD, starts=("editor",)),
        install(NEWER, starts=("editor",)),
        install(BEHIND, starts=()),
    ):
        assert rule(RULE, copy, known=KNOWN).findings == ()
