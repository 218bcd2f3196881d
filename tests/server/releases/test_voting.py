"""Look-ups: what laptops invent costs next to nothing, and asking again changes nothing."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from server.fetch import Fetcher
from server.releases.identify import ABSENT_KEPT_S
from server.releases.pauses import PROBES_MAX, WINDOW_S
from server.releases.position import locate
from server.releases.sources.bucket import BucketSource
from server.releases.sources.npm import NpmSource
from server.store.public import WAITING_MAX
from server.store.writer import Writer
from tests.server.releases.synced import Synced

if TYPE_CHECKING:
    from tests.server.releases.conftest import Bucket, Registry

CLI = "@anthropic-ai/claude-code"
MAX_AGE_S = 6 * 3_600
_MANIFESTS = Path(__file__).parents[2] / "golden" / "manifests"


@pytest.fixture
def both(writer: Writer, registry: "Registry", bucket: "Bucket") -> Synced:
    """A server that reads both sources, once."""
    registry.add_sdk("0.3.330", "2.1.330")
    registry.add_sdk("0.3.240", "2.1.240")
    synced = Synced(writer, [NpmSource(Fetcher(registry.url)), BucketSource(Fetcher(bucket.url))])
    synced.syncer.read_heads()
    synced.now += 60
    registry.asked.clear()
    bucket.asked.clear()
    return synced


def test_ten_thousand_invented_numbers_cost_the_sources_one_reading(
    both: Synced, registry: "Registry", bucket: "Bucket"
) -> None:
    """The list and the pointers once; then all of them are answered."""
    invented = [f"9.{number // 100}.{number % 100}" for number in range(10_000)]
    both.ask(*invented)
    for _ in range(len(invented) // WAITING_MAX + 1):
        both.syncer.look_up()
    assert {both.outcome(version) for version in invented} == {"absent"}
    assert registry.paths() == [CLI]
    assert bucket.paths() == ["latest", "stable"]


def test_numbers_below_the_heads_that_no_list_has_are_seldom_asked_about(
    both: Synced, bucket: "Bucket"
) -> None:
    """The bucket may have one that the registry lacks; further ones wait for their turn."""
    invented = [f"2.1.{200_000 + number}" for number in range(10)]
    gaps = [f"2.0.{10_000 + number}" for number in range(PROBES_MAX + 10)]
    both.ask(*invented, *gaps)
    both.syncer.look_up()
    outcomes = [both.outcome(version) for version in gaps]
    assert {both.outcome(version) for version in invented} == {"absent"}
    assert (outcomes.count("absent"), outcomes.count("failed")) == (PROBES_MAX, 10)
    assert len(bucket.asked) <= PROBES_MAX + 2
    both.now += WINDOW_S
    both.ask(*gaps[-10:])
    both.syncer.look_up()
    assert {both.outcome(version) for version in gaps} == {"absent"}


def test_a_release_that_only_the_bucket_has_is_found(both: Synced, bucket: "Bucket") -> None:
    """46 numbers are absent from the registry: its list is not the whole truth (facts 2.8)."""
    body = (_MANIFESTS / "2.1.330.json").read_bytes().replace(b'"2.1.330"', b'"2.1.320"')
    bucket.put("2.1.320/manifest.json", body)
    both.ask("2.1.320")
    both.syncer.look_up()
    assert both.outcome("2.1.320") == "found"
    assert both.current.ledger.artifacts("2.1.320")


def test_odd_numbers_are_never_made_an_address(both: Synced, bucket: "Bucket") -> None:
    """Not even below the heads."""
    both.ask("2.1.330-dev", "x/../y", "1.0", "")
    both.syncer.look_up()
    assert {both.outcome(each) for each in ("2.1.330-dev", "x/../y", "1.0", "")} == {"absent"}
    assert {"latest", "stable"} >= set(bucket.paths())


def test_asking_again_reads_the_heads_and_changes_nothing_else(
    both: Synced, registry: "Registry", bucket: "Bucket"
) -> None:
    """Another laptop took a build that is ahead: the pair's verdict stays as it was."""
    registry.tag("latest", "2.1.240")
    bucket.put("latest", b"2.1.240", "text/plain")
    both.syncer.read_heads()
    both.now += 60
    both.ask("2.1.330")
    both.syncer.look_up()
    before = both.current.ledger.lookup("2.1.330")
    place = locate("2.1.330", "npm", "latest", MAX_AGE_S, both.current.ledger, both.now)
    assert (place.place, place.checked) == ("withdrawn", True)
    for _ in range(5):
        both.now += 60
        registry.asked.clear()
        both.ask("2.1.330")
        assert not both.syncer.look_up()
        lookup = both.current.ledger.lookup("2.1.330")
        assert before is not None
        assert lookup is not None
        assert (lookup.outcome, lookup.answered_at) == (before.outcome, before.answered_at)
        assert {head.last_seen for head in both.current.ledger.heads()} == {both.now}
        assert registry.paths() == [CLI]
        again = locate("2.1.330", "npm", "latest", MAX_AGE_S, both.current.ledger, both.now)
        assert (again.place, again.checked) == (place.place, True)


def test_ahead_stays_checked_while_it_is_asked_for_again(
    writer: Writer, registry: "Registry"
) -> None:
    """Between the question and the reading that answers it, too."""
    registry.add_sdk("0.3.240", "2.1.240")
    registry.tag("latest", "2.1.240")
    synced = Synced(writer, [NpmSource(Fetcher(registry.url))])
    synced.syncer.read_heads()
    synced.now += 60
    synced.ask("2.1.330")
    synced.syncer.look_up()
    for _ in range(3):
        synced.now += 60
        synced.ask("2.1.330")
        place = locate("2.1.330", "npm", "latest", MAX_AGE_S, synced.current.ledger, synced.now)
        assert (place.place, place.checked) == ("ahead", True)
        assert not synced.syncer.look_up()


def test_an_answer_that_is_due_is_asked_for_anew(both: Synced, bucket: "Bucket") -> None:
    """An hour later the sources may know more of a version."""
    both.ask("2.1.240")
    both.syncer.look_up()
    bucket.asked.clear()
    both.now += ABSENT_KEPT_S
    both.ask("2.1.240")
    both.syncer.look_up()
    lookup = both.current.ledger.lookup("2.1.240")
    assert lookup is not None
    assert lookup.answered_at == both.now
    assert "2.1.240/manifest.json" in bucket.paths()
