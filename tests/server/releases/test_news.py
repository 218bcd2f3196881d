"""What is news: everything that a verdict could depend on, and nothing else."""

from dataclasses import replace

import pytest

from server.releases.ledger import Artifact, Ledger, Lookup, Reading, Release
from server.releases.news import GAP_S, is_news
from server.releases.runs import GONE_S, LATE_S

HEAD = Reading("npm", "latest", "2.1.1", 100, 200)
RELEASE = Release("2.1.1", 50)
FILE = Artifact("2.1.1", "linux-x64", "binary", "a" * 64, 1, "registry", "npm")
ANSWERED = Lookup("2.1.0", 150, 160, "found")

BEFORE = Ledger([HEAD], [RELEASE], [FILE], [ANSWERED])


def _read_again(last_seen: int) -> Reading:
    return replace(HEAD, last_seen=last_seen)


@pytest.mark.parametrize(
    "after",
    [
        Ledger([HEAD], [RELEASE], [FILE], [ANSWERED]),
        Ledger([_read_again(500)], [RELEASE], [FILE], [ANSWERED]),
        Ledger([HEAD], [RELEASE], [FILE], [ANSWERED, Lookup("2.1.9", 190, None, "waiting")]),
        Ledger(
            [_read_again(500)],
            [RELEASE],
            [FILE],
            [replace(ANSWERED, asked_at=400, first_asked_at=150)],
        ),
    ],
    ids=["the same", "read again", "a question", "asked and read again"],
)
def test_the_same_again_is_no_news(after: Ledger) -> None:
    """A head read again in time, and a question, first or repeated, change no verdict."""
    assert not is_news(BEFORE, after)


@pytest.mark.parametrize(
    "after",
    [
        Ledger([HEAD, Reading("npm", "latest", "2.1.2", 300, 300)], [RELEASE], [FILE], [ANSWERED]),
        Ledger([HEAD, Reading("npm", "stable", "2.1.1", 300, 300)], [RELEASE], [FILE], [ANSWERED]),
        Ledger([_read_again(200 + GAP_S)], [RELEASE], [FILE], [ANSWERED]),
        Ledger([HEAD], [RELEASE, Release("2.1.2")], [FILE], [ANSWERED]),
        Ledger([HEAD], [Release("2.1.1", 51)], [FILE], [ANSWERED]),
        Ledger([HEAD], [RELEASE], [FILE, replace(FILE, source="bucket")], [ANSWERED]),
        Ledger([HEAD], [RELEASE], [FILE], [replace(ANSWERED, outcome="absent")]),
        Ledger([HEAD], [RELEASE], [FILE], [replace(ANSWERED, answered_at=170)]),
    ],
    ids=["moved", "new channel", "gap", "release", "time", "file", "answer", "later answer"],
)
def test_what_verdicts_rest_on_is_news(after: Ledger) -> None:
    """Heads, lists, digests and answers."""
    assert is_news(BEFORE, after)


def test_a_reading_later_than_a_report_is_news() -> None:
    """It turns "newer than the head, being checked" into an answer."""
    asked = Lookup("2.1.2", 250, 260, "found")
    before = Ledger([HEAD], lookups=[asked])
    assert not is_news(before, Ledger([_read_again(249)], lookups=[asked]))
    assert is_news(before, Ledger([_read_again(250)], lookups=[asked]))


@pytest.mark.parametrize("after_s", [LATE_S, GONE_S])
def test_a_source_that_decides_no_longer_is_news(after_s: int) -> None:
    """Nothing moved, but copies are judged by the head of another source from then on."""
    bucket = Reading("bucket", "latest", "2.1.0", 100, 200)
    before, still, after = (
        Ledger([bucket, _read_again(200 + after_s + late)]) for late in (-9, 0, 1)
    )
    assert not is_news(before, still)
    assert is_news(still, after)
