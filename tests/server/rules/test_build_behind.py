"""What is said of a copy that is no longer the newest."""

import pytest

from agent.wire import Build, FindingView, Install, Profile
from server.policy import GroupPolicy
from server.releases.ledger import Artifact, Ledger, Reading, Release
from server.rules.build_behind import RULE
from server.rules.interface import Case

DAY = 24 * 3600
JUNE_1 = 1_780_272_000
"""2026-06-01 00:00 UTC."""

OLD, NEW = "a" * 64, "b" * 64


def behind(readings: list[Reading], releases: list[Release], now: int) -> FindingView:
    """The one finding on an npm install of 2.1.1 while latest is 2.1.2."""
    build = Build(sha256=OLD, size=1, form="binary", version="2.1.1", platform="linux-x64")
    install = Install(method="npm", place="global", build=build, starts=("terminal",))
    artifact = Artifact("2.1.1", "linux-x64", "binary", OLD, 1, "registry", "npm")
    ledger = Ledger(readings, releases=releases, artifacts=[artifact])
    profile = Profile(wire=1, os="linux", arch="x64", installs=(install,))
    (finding,) = RULE.examine(Case(profile, GroupPolicy(), ledger, now)).findings
    return finding


def test_it_is_told_when_the_copy_was_replaced() -> None:
    """That moment is the same for all machines; each has its own `since`."""
    readings = [
        Reading("npm", "latest", "2.1.1", JUNE_1 - DAY, JUNE_1 - 60),
        Reading("npm", "latest", "2.1.2", JUNE_1, JUNE_1 + 2 * DAY),
    ]
    finding = behind(readings, [Release("2.1.1"), Release("2.1.2")], JUNE_1 + 2 * DAY)
    assert finding.sentence == (
        "the npm install 2.1.1 is behind: latest is 2.1.2; it was replaced 2026-06-01 00:00 UTC"
    )


@pytest.mark.parametrize(
    ("published_at", "ending"),
    [
        (JUNE_1, "latest is 2.1.2; it was replaced about 2026-06-01 00:00 UTC"),
        (None, "latest is 2.1.2"),
    ],
)
def test_an_estimate_is_called_one_and_nothing_is_made_up(
    published_at: int | None, ending: str
) -> None:
    """Before the first reading only the publication tells, where the registry has it."""
    readings = [Reading("npm", "latest", "2.1.2", JUNE_1 + DAY, JUNE_1 + 2 * DAY)]
    releases = [Release("2.1.1"), Release("2.1.2", published_at=published_at)]
    assert behind(readings, releases, JUNE_1 + 2 * DAY).sentence.endswith(ending)
