"""What is learned before a laptop asks: politely in the background, at once for a command."""

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from werkzeug import Response

from server.fetch import Fetcher
from server.releases.learning import AGAIN_S, LEARNED_S, STEP_MAX
from server.releases.pauses import DOWNLOADS_MAX, WINDOW_S
from server.releases.sources.npm import NpmSource
from server.store.writer import Writer
from tests.server.releases.repository import Repository, applied
from tests.server.releases.synced import START, Synced

if TYPE_CHECKING:
    from tests.server.releases.conftest import Registry

CLI = "@anthropic-ai/claude-code"
SDK = "@anthropic-ai/claude-agent-sdk"
DAY_S = 24 * 3_600
MACS = {"darwin-arm64": b"arm", "darwin-x64": b"intel"}


def _published(registry: "Registry", patch: int, at: int) -> str:
    """A release of the registry with its manifest."""
    version = f"2.1.{patch}"
    document = registry.documents[CLI]
    document["versions"][version] = {**document["versions"]["2.1.330"], "version": version}
    document["time"][version] = datetime.fromtimestamp(at, UTC).isoformat()
    checksum = hashlib.sha256(version.encode()).hexdigest()
    told = {
        "version": version,
        "buildDate": "2026-11-01T00:00:00Z",
        "platforms": {"linux-x64": {"binary": "claude", "checksum": checksum, "size": 1}},
    }
    registry.add(SDK, f"0.3.{patch}", {"manifest.json": json.dumps(told).encode()})
    registry.publish(CLI)
    return version


@pytest.fixture
def month(writer: Writer, registry: "Registry") -> Synced:
    """A registry with the recorded head, and ten releases after it, one a day."""
    registry.add_sdk("0.3.330", "2.1.330")
    for day in range(1, 11):
        _published(registry, 330 + day, START + day * DAY_S)
    synced = Synced(writer, [NpmSource(Fetcher(registry.url))])
    synced.now = START + 11 * DAY_S
    return synced


def _known(synced: Synced) -> set[str]:
    return {file.version for file in synced.current.ledger.files()}


def test_recent_releases_are_learned_a_few_at_a_time(month: Synced, registry: "Registry") -> None:
    """The newest first; when all are known, nobody is asked any more."""
    month.syncer.read_heads()
    assert _known(month) == {"2.1.330"}
    assert month.syncer.learn()
    assert _known(month) == {"2.1.330", *(f"2.1.{340 - each}" for each in range(STEP_MAX))}
    for _ in range(4):
        month.syncer.learn()
    assert {f"2.1.{330 + day}" for day in range(11)} <= _known(month)
    for _ in range(5):
        month.syncer.learn()
    registry.asked.clear()
    assert not month.syncer.learn()
    assert registry.asked == []


def test_nothing_is_learned_of_a_source_that_does_not_answer(
    month: Synced, registry: "Registry"
) -> None:
    """Neither before its first reading, nor after one that failed."""
    assert not month.syncer.learn()
    assert registry.asked == []
    registry.down = lambda _: Response(status=503)
    month.syncer.read_heads()
    registry.asked.clear()
    assert not month.syncer.learn()
    assert registry.asked == []


def test_learning_stops_at_a_failure_and_comes_back_later(
    month: Synced, registry: "Registry"
) -> None:
    """The one that failed again after an hour, the others before."""
    month.syncer.read_heads()
    newest = f"{SDK}/-/claude-agent-sdk-0.3.340.tgz"
    good = registry.answers[newest]
    registry.answers[newest] = lambda _: Response(status=500)
    month.syncer.learn()
    assert _known(month) == {"2.1.330"}
    for _ in range(6):
        month.syncer.learn()
    assert registry.paths().count(newest) == 1
    assert "2.1.339" in _known(month)
    registry.answers[newest] = good
    month.now += AGAIN_S
    month.syncer.learn()
    assert "2.1.340" in _known(month)


def test_a_pause_that_is_asked_for_ends_a_step(month: Synced, registry: "Registry") -> None:
    """``Retry-After`` holds for what is learned, too."""
    month.syncer.read_heads()
    registry.answers[SDK] = lambda _: Response(status=429, headers={"Retry-After": "1000"})
    month.syncer.learn()
    registry.asked.clear()
    month.now += 999
    month.syncer.learn()
    assert registry.asked == []


def test_a_refresh_reads_all_of_the_days_asked_for(month: Synced) -> None:
    """In parallel, with the heads; what is older is left to be asked for."""
    month.syncer.refresh(month.now - 5 * DAY_S)
    assert _known(month) == {"2.1.330", *(f"2.1.{330 + day}" for day in range(6, 11))}
    assert [head.version for head in month.current.ledger.heads()] == ["2.1.330"]


def test_a_refresh_goes_on_after_one_release_that_cannot_be_read(
    month: Synced, registry: "Registry"
) -> None:
    """All others are there."""
    registry.put(f"{SDK}/-/claude-agent-sdk-0.3.335.tgz", b"no package")
    month.syncer.refresh(month.now - LEARNED_S)
    assert {f"2.1.{330 + day}" for day in range(11)} - _known(month) == {"2.1.335"}


def test_the_applications_of_a_head_are_downloaded_once(
    writer: Writer, repository: Repository
) -> None:
    """One at a time, after its manifest; those of other releases only for who has them."""
    repository.publish("2.1.330", MACS)
    repository.publish("2.1.329", MACS)
    repository.point("latest", "2.1.330")
    synced = Synced(writer, [repository.source()])
    synced.syncer.read_heads()
    for _ in range(5):
        synced.syncer.learn()
    bundles = {
        file.sha256 for file in synced.current.ledger.artifacts("2.1.330") if file.form == "bundle"
    }
    assert bundles == {hashlib.sha256(applied(body)).hexdigest() for body in MACS.values()}
    for platform in MACS:
        assert repository.count(f"2.1.330/{platform}/claude.app.tar.zst") == 1
    synced.report("2.1.329", "darwin-x64", "bundle")
    synced.now += 60
    synced.ask("2.1.329")
    synced.syncer.look_up()
    assert repository.count("2.1.329/darwin-x64/claude.app.tar.zst") == 1
    assert repository.count("2.1.329/darwin-arm64/claude.app.tar.zst") == 0


def test_an_application_that_could_not_be_had_is_downloaded_later(
    writer: Writer, repository: Repository
) -> None:
    """Within the budget of an hour, which look-ups share."""
    repository.publish("2.1.330", MACS)
    repository.point("latest", "2.1.330")
    path = "2.1.330/darwin-arm64/claude.app.tar.zst"
    repository.answer(path, lambda _: Response(status=500))
    synced = Synced(writer, [repository.source()])
    synced.syncer.read_heads()
    for _ in range(DOWNLOADS_MAX + 2):
        synced.syncer.learn()
    assert repository.count(path) == 1
    repository.publish("2.1.330", MACS)
    synced.now += max(AGAIN_S, WINDOW_S)
    for _ in range(2):
        synced.syncer.learn()
    forms = [file.form for file in synced.current.ledger.artifacts("2.1.330")]
    assert forms.count("bundle") == 2
