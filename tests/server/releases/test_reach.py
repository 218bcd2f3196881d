"""Sources read one by one: what a list loses, and what is only a broken answer."""

from typing import TYPE_CHECKING

import pytest

from server.fetch import Fetcher
from server.releases.health import WITHDRAWN_S
from server.releases.reach import SHORT_S
from server.releases.sources.npm import NpmSource
from server.store.writer import Writer
from tests.server.releases.synced import START, Synced

if TYPE_CHECKING:
    from tests.server.releases.conftest import Registry

CLI = "@anthropic-ai/claude-code"


@pytest.fixture
def npm_only(writer: Writer, registry: "Registry") -> Synced:
    """A server that reads the registry alone."""
    registry.add_sdk("0.3.330", "2.1.330")
    return Synced(writer, [NpmSource(Fetcher(registry.url))])


def test_a_version_taken_off_the_list_is_withdrawn_until_it_is_listed_again(
    npm_only: Synced, registry: "Registry"
) -> None:
    """An alarm with its moment; the ledger keeps the version."""
    npm_only.syncer.read_heads()
    document = registry.documents[CLI]
    taken = document["versions"].pop("2.1.240")
    registry.publish(CLI)
    npm_only.pass_time(600)
    release = npm_only.current.ledger.release("2.1.240")
    assert release is not None
    assert release.withdrawn_at == START + 300
    (found,) = npm_only.held().values()
    assert (found.kind, found.since) == ("withdrawn", START + 300)
    assert "2.1.240" in found.text
    document["versions"]["2.1.240"] = taken
    registry.publish(CLI)
    npm_only.pass_time(300)
    assert npm_only.held() == {}
    assert len(npm_only.told()) == 2


def test_a_withdrawal_is_shown_for_a_week(npm_only: Synced, registry: "Registry") -> None:
    """Then the ledger alone remembers."""
    npm_only.syncer.read_heads()
    del registry.documents[CLI]["versions"]["2.1.240"]
    registry.publish(CLI)
    npm_only.pass_time(300)
    npm_only.now += WITHDRAWN_S
    npm_only.syncer.watch()
    assert "withdrawn" not in npm_only.kinds()


def test_a_list_that_lost_most_of_its_versions_withdraws_nothing(
    npm_only: Synced, registry: "Registry"
) -> None:
    """It is an answer that cannot be used, as an unreachable source is."""
    npm_only.syncer.read_heads()
    before = npm_only.current.ledger
    versions = registry.documents[CLI]["versions"]
    kept = dict(versions)
    for version in list(versions)[: len(versions) // 2 + 1]:
        if version != "2.1.330":
            del versions[version]
    for version in list(versions)[:2]:
        if version != "2.1.330":
            del versions[version]
    registry.publish(CLI)
    assert 2 * len(versions) < len(kept)
    npm_only.pass_time(300)
    health = npm_only.health()["npm"]
    assert health.state == "unreachable"
    assert f"lists {len(versions)} versions where it listed {len(kept)}" in (health.error or "")
    assert list(npm_only.current.ledger.releases()) == list(before.releases())
    versions.update(kept)
    registry.publish(CLI)
    npm_only.pass_time(300)
    assert npm_only.health()["npm"].state == "ok"


def test_a_list_that_was_too_long_once_does_not_shut_out_the_right_one(
    npm_only: Synced, registry: "Registry"
) -> None:
    """For a day the shorter one is taken for broken; what it lacks is withdrawn then."""
    versions = registry.documents[CLI]["versions"]
    invented = {f"9.0.{patch}": versions["2.1.330"] for patch in range(2 * len(versions))}
    versions.update(invented)
    registry.publish(CLI)
    npm_only.syncer.read_heads()
    for version in invented:
        del versions[version]
    registry.publish(CLI)
    npm_only.pass_time(3_600)
    assert npm_only.kinds() == ["unreachable"]
    npm_only.pass_time(SHORT_S - 3_600, every=3_600)
    assert npm_only.kinds() == ["unreachable"]
    npm_only.pass_time(3_600)
    assert npm_only.health()["npm"].state == "ok"
    assert npm_only.kinds() == ["withdrawn"]
    assert {each.version for each in npm_only.current.ledger.releases() if each.withdrawn_at} == {
        *invented
    }
