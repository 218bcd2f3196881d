"""Whole histories, played by a signed bucket over HTTPS and a registry, read into the store."""

from typing import TYPE_CHECKING

import pytest

from server.fetch import Fetcher
from server.releases.cadence import SHORTEST_S
from server.releases.health import DISAGREE_S, MOVED_BACK_S, TOLD_AFTER_S
from server.releases.ledger import SOURCES_DIFFER_S, Ledger
from server.releases.position import Place, locate
from server.releases.sources.npm import NpmSource
from server.store import public
from server.store.writer import Writer
from tests.server.releases.repository import Repository
from tests.server.releases.synced import START, Synced

if TYPE_CHECKING:
    from tests.server.releases.conftest import Registry

HOUR = 3_600
DAY = 24 * HOUR
MAX_AGE_S = 6 * HOUR


@pytest.fixture
def bucket_only(writer: Writer, repository: Repository) -> Synced:
    """A server that reads the signed bucket alone, as 2.1.330 is its head."""
    _release(repository, 330)
    synced = Synced(writer, [repository.source()])
    synced.syncer.read_heads()
    return synced


@pytest.fixture
def both(writer: Writer, repository: Repository, registry: "Registry") -> Synced:
    """A server that reads both, with one head."""
    _release(repository, 329)
    registry.tag("latest", "2.1.329")
    synced = Synced(writer, [NpmSource(Fetcher(registry.url)), repository.source()])
    synced.syncer.read_heads()
    return synced


def _release(repository: Repository, patch: int) -> None:
    """Publishes a release and points to it."""
    version = f"2.1.{patch}"
    repository.publish(version, {"linux-x64": version.encode()})
    repository.point("latest", version)


def _place(synced: Synced, version: str, method: str = "native") -> Place:
    ledger, now = synced.current.ledger, synced.now
    return locate(version, method, "latest", MAX_AGE_S, ledger, now).place


def _reloaded(synced: Synced) -> Ledger:
    return synced.writer.run(public.load_ledger).result()


def test_a_month_of_releases_and_then_a_frozen_pointer(
    bucket_only: Synced, repository: Repository
) -> None:
    """Calm as long as it moves about once a day; an alarm when it stands still for too long."""
    for day in range(1, 21):
        bucket_only.pass_time(DAY, every=6 * HOUR)
        _release(repository, 330 + day)
    bucket_only.pass_time(HOUR, every=HOUR)
    moved = bucket_only.current.ledger.heads()[0].first_seen
    bucket_only.pass_time(SHORTEST_S - 2 * HOUR, every=2 * HOUR)
    assert bucket_only.told() == []
    bucket_only.pass_time(3 * HOUR, every=HOUR)
    (found,) = bucket_only.held().values()
    assert (found.kind, found.since) == ("frozen", moved)
    bucket_only.pass_time(DAY, every=12 * HOUR)
    assert bucket_only.told() == ["operator frozen bucket latest"]
    _release(repository, 351)
    bucket_only.pass_time(300)
    assert bucket_only.held() == {}
    assert bucket_only.told() == ["operator frozen bucket latest"] * 2


def test_an_outage_is_not_taken_for_a_frozen_pointer(
    bucket_only: Synced, repository: Repository
) -> None:
    """It is told as what it is."""
    for day in range(1, 12):
        bucket_only.pass_time(DAY, every=6 * HOUR)
        _release(repository, 330 + day)
    bucket_only.pass_time(300)
    repository.off()
    bucket_only.pass_time(10 * DAY, every=6 * HOUR)
    assert bucket_only.kinds() == ["unreachable"]
    repository.on()
    bucket_only.pass_time(2 * HOUR, every=HOUR)
    assert bucket_only.told()[:2] == ["operator source bucket"] * 2


def test_a_pointer_rolled_back_is_an_alarm_and_no_laptop_is_ahead(
    bucket_only: Synced, repository: Repository
) -> None:
    """As with 2.1.116 and 2.1.114; a restart knows it all the same."""
    bucket_only.pass_time(DAY, every=6 * HOUR)
    _release(repository, 331)
    bucket_only.pass_time(HOUR, every=HOUR)
    repository.point("latest", "2.1.330")
    bucket_only.pass_time(300)
    moved = bucket_only.now
    assert _place(bucket_only, "2.1.331") == "withdrawn"
    assert _place(bucket_only, "2.1.330") == "head"
    (found,) = bucket_only.held().values()
    assert (found.kind, found.since) == ("moved-back", moved)
    left = _reloaded(bucket_only).left("2.1.331", _reloaded(bucket_only).heads()[0])
    assert left is not None
    assert left.at == moved
    bucket_only.pass_time(MOVED_BACK_S - HOUR, every=HOUR)
    bucket_only.pass_time(HOUR - 300)
    assert bucket_only.told() == ["operator moved-back bucket latest 2.1.330"]
    bucket_only.pass_time(300)
    assert bucket_only.held() == {}
    assert _place(bucket_only, "2.1.331") == "withdrawn"


def test_a_pointer_rolled_back_and_on_again_is_over(
    bucket_only: Synced, repository: Repository
) -> None:
    """The alarm ends at the next reading; what was public when is still told exactly."""
    _release(repository, 331)
    bucket_only.pass_time(300)
    repository.point("latest", "2.1.330")
    bucket_only.pass_time(300)
    repository.point("latest", "2.1.331")
    bucket_only.pass_time(300)
    assert bucket_only.held() == {}
    assert _place(bucket_only, "2.1.331") == "head"
    ledger = _reloaded(bucket_only)
    public_then = [
        ledger.head_at("latest", START + at)[0].version for at in (0, 299, 300, 599, 600, 900)
    ]
    assert public_then == ["2.1.330", "2.1.330", "2.1.331", "2.1.331", "2.1.330", "2.1.331"]


def test_sources_that_disagree_are_told_and_either_head_counts_for_a_while(
    both: Synced, registry: "Registry", repository: Repository
) -> None:
    """The registry moves on, the bucket stays: a mirror that is held back."""
    registry.tag("latest", "2.1.330")
    both.pass_time(300)
    moved = both.now
    assert both.held() == {}
    both.pass_time(DISAGREE_S)
    (found,) = both.held().values()
    assert (found.kind, found.since) == ("disagree", moved)
    assert both.told() == []
    both.pass_time(TOLD_AFTER_S["disagree"])
    assert both.told() == ["operator disagree latest"]
    assert {_place(both, "2.1.330"), _place(both, "2.1.329", "npm")} == {"head"}
    both.pass_time(SOURCES_DIFFER_S)
    assert (_place(both, "2.1.330"), _place(both, "2.1.329", "npm")) == ("ahead", "behind")
    _release(repository, 330)
    both.pass_time(300)
    assert both.told() == ["operator disagree latest"] * 2
    assert _place(both, "2.1.330") == "head"


def test_a_release_that_reaches_the_sources_one_after_the_other_disturbs_nobody(
    both: Synced, registry: "Registry", repository: Repository
) -> None:
    """Half an hour apart: shown on the status, and over before anybody is told."""
    registry.tag("latest", "2.1.330")
    both.pass_time(1_800)
    assert both.kinds() == ["disagree"]
    _release(repository, 330)
    both.pass_time(300)
    assert both.held() == {}
    assert both.told() == []


def test_invented_versions_cost_a_signed_bucket_nothing(
    both: Synced, repository: Repository
) -> None:
    """Beyond the one reading that every new number above the heads is worth."""
    asked = len(repository.asked)
    both.now += 60
    both.ask(*(f"3.{minor}.{patch}" for minor in range(30) for patch in range(30)))
    both.syncer.look_up()
    assert both.outcome("3.29.29") == "absent"
    assert len(repository.asked) - asked == len(("latest", "stable"))
