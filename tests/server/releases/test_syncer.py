"""The syncer, with real sources over loopback, a real writer and a clock set by the test."""

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from werkzeug import Response

from server.fetch import Fetcher
from server.releases.answers import EVIDENCE_KEPT_S
from server.releases.health import TOLD_AFTER_S
from server.releases.pauses import DOWNLOADS_MAX, LONGEST_S, WINDOW_S
from server.releases.position import locate
from server.releases.sources.bucket import BucketSource
from server.releases.sources.npm import NpmSource
from server.releases.syncer import READ_GAP_S
from server.store import public
from server.store.writer import Writer
from tests.server.releases.synced import START, Synced

if TYPE_CHECKING:
    from tests.server.releases.conftest import Bucket, Registry

_MANIFESTS = Path(__file__).parents[2] / "golden" / "manifests"
CLI = "@anthropic-ai/claude-code"
HEAD_LINUX_X64 = "f390eaa0814e6a1bff74cbb47acb74cb9c89d30ced809fe0af5af00c7bfe8ebb"


@pytest.fixture
def npm_only(writer: Writer, registry: "Registry") -> Synced:
    """A server that reads the registry alone."""
    registry.add_sdk("0.3.330", "2.1.330")
    registry.add_sdk("0.3.240", "2.1.240")
    return Synced(writer, [NpmSource(Fetcher(registry.url))])


@pytest.fixture
def both(writer: Writer, registry: "Registry", bucket: "Bucket") -> Synced:
    """A server that reads both sources."""
    registry.add_sdk("0.3.330", "2.1.330")
    registry.add_sdk("0.3.240", "2.1.240")
    return Synced(writer, [NpmSource(Fetcher(registry.url)), BucketSource(Fetcher(bucket.url))])


def test_the_first_reading_knows_the_heads_and_their_digests(both: Synced) -> None:
    """Enough to judge a laptop that runs the head."""
    assert both.syncer.read_heads()
    ledger = both.current.ledger
    assert [(head.source, head.channel, head.version) for head in ledger.heads()] == [
        ("bucket", "latest", "2.1.330"),
        ("bucket", "stable", "2.1.240"),
        ("npm", "latest", "2.1.330"),
    ]
    found = ledger.artifact(HEAD_LINUX_X64)
    assert found is not None
    assert (found.version, found.trust) == ("2.1.330", "registry")
    assert {head.first_seen for head in ledger.heads()} == {START}


def test_what_is_swapped_in_is_what_was_committed(both: Synced) -> None:
    """The ledger in memory is the one that a restart would load."""
    both.syncer.read_heads()
    loaded = both.writer.run(public.load_ledger).result()
    assert loaded.heads() == both.current.ledger.heads()
    assert loaded.files() == both.current.ledger.files()
    assert list(loaded.releases()) == list(both.current.ledger.releases())


def test_digests_are_read_once(both: Synced, registry: "Registry", bucket: "Bucket") -> None:
    """The second reading asks for the heads alone, and is no news."""
    both.syncer.read_heads()
    registry.asked.clear()
    bucket.asked.clear()
    both.now += 300
    assert not both.syncer.read_heads()
    assert registry.paths() == [CLI]
    assert bucket.paths() == ["latest", "stable"]
    assert {head.last_seen for head in both.current.ledger.heads()} == {both.now}


def test_a_moved_head_is_a_new_run(npm_only: Synced, registry: "Registry") -> None:
    """The ledger keeps when it was first read elsewhere."""
    registry.tag("latest", "2.1.240")
    npm_only.syncer.read_heads()
    registry.tag("latest", "2.1.330")
    npm_only.now += 300
    assert npm_only.syncer.read_heads()
    (head,) = npm_only.current.ledger.heads()
    assert (head.version, head.first_seen) == ("2.1.330", START + 300)
    replaced = npm_only.current.ledger.replaced("2.1.240", head)
    assert replaced is not None
    assert (replaced.at, replaced.estimated) == (START + 300, False)


def test_a_head_without_a_manifest_yet_is_asked_about_again(
    npm_only: Synced, registry: "Registry"
) -> None:
    """The SDK package may appear a little later than the release."""
    registry.tag("latest", "2.1.329")
    npm_only.syncer.read_heads()
    assert npm_only.current.ledger.artifacts("2.1.329") == ()
    body = {"manifest.json": _manifest("2.1.330").replace(b'"2.1.330"', b'"2.1.329"')}
    registry.add("@anthropic-ai/claude-agent-sdk", "0.3.329", body)
    npm_only.now += 300
    assert npm_only.syncer.read_heads()
    assert len(npm_only.current.ledger.artifacts("2.1.329")) == 8


def test_each_source_may_fail_alone(both: Synced, registry: "Registry") -> None:
    """The other one carries on, and health says which and since when."""
    registry.down = lambda _: Response(status=500)
    assert both.syncer.read_heads()
    assert {head.source for head in both.current.ledger.heads()} == {"bucket"}
    health = both.health()
    assert (health["bucket"].state, health["npm"].state) == ("ok", "unreachable")
    assert "500" in (health["npm"].error or "")


def test_a_failing_source_is_paused_as_long_as_it_asks(
    npm_only: Synced, registry: "Registry"
) -> None:
    """``Retry-After`` is obeyed; then it is right again by itself."""
    registry.down = lambda _: Response(status=429, headers={"Retry-After": "1000"})
    npm_only.syncer.read_heads()
    registry.down = None
    npm_only.now += 999
    npm_only.syncer.read_heads()
    assert len(registry.asked) == 1
    npm_only.now += 1
    assert npm_only.syncer.read_heads()
    assert npm_only.health()["npm"].state == "ok"


def test_ten_minutes_without_a_source_are_no_incident(
    npm_only: Synced, registry: "Registry"
) -> None:
    """Nobody is told, the last reading stays, and nothing is news."""
    npm_only.syncer.read_heads()
    before = npm_only.current.ledger
    registry.down = lambda _: Response(status=503)
    for _ in range(2):
        npm_only.now += 300
        assert not npm_only.syncer.read_heads()
    assert npm_only.current.ledger.heads() == before.heads()
    registry.down = None
    npm_only.now += 300
    npm_only.syncer.read_heads()
    assert npm_only.told() == []


def test_a_day_without_a_source_is_one_incident_and_its_end(
    npm_only: Synced, registry: "Registry"
) -> None:
    """Told once after a while, and once when it answers again."""
    npm_only.syncer.read_heads()
    registry.down = lambda _: Response(status=503)
    for _ in range(24 * 12):
        npm_only.now += 300
        npm_only.syncer.read_heads()
    assert npm_only.told() == ["operator source npm"]
    since = npm_only.health()["npm"].since
    (told_at,) = npm_only.told_at()
    after = TOLD_AFTER_S["unreachable"]
    assert after <= told_at - since <= after + 300
    registry.down = None
    npm_only.now += LONGEST_S
    assert npm_only.syncer.read_heads()
    assert npm_only.told() == ["operator source npm"] * 2
    npm_only.now += 300
    npm_only.syncer.read_heads()
    assert len(npm_only.told()) == 2


def test_a_source_that_never_answered_is_no_incident(both: Synced, bucket: "Bucket") -> None:
    """A network that lets one source through only is a set-up, not an outage."""
    bucket.down = lambda _: Response(status=403)
    for _ in range(24):
        both.syncer.read_heads()
        both.now += 300
    assert both.told() == []
    assert both.health()["bucket"].state == "unreachable"


def test_a_digest_that_changed_is_told_and_not_taken(both: Synced, bucket: "Bucket") -> None:
    """The sources disagree on a platform: both words are kept, the operator is told once."""
    changed = _manifest("2.1.330").replace(HEAD_LINUX_X64.encode(), b"e" * 64)
    bucket.put("2.1.330/manifest.json", changed)
    for _ in range(3):
        both.syncer.read_heads()
        both.now += 300
    assert both.told().count("operator artifact 2.1.330 linux-x64") == 1
    assert both.held()["artifact 2.1.330 linux-x64"].kind == "republished"
    assert both.current.ledger.artifact(HEAD_LINUX_X64) is not None


def test_nothing_waits_and_nobody_is_asked(npm_only: Synced, registry: "Registry") -> None:
    """The usual look every few seconds costs no request."""
    assert not npm_only.syncer.look_up()
    assert registry.asked == []


def test_an_old_public_version_is_looked_up(npm_only: Synced, registry: "Registry") -> None:
    """Its digests come from one small package; the heads need no second reading."""
    npm_only.syncer.read_heads()
    registry.asked.clear()
    npm_only.now += 60
    npm_only.ask("2.1.240")
    assert npm_only.syncer.look_up()
    assert npm_only.outcome("2.1.240") == "found"
    assert len(npm_only.current.ledger.artifacts("2.1.240")) == 8
    assert CLI not in registry.paths()
    assert not npm_only.syncer.look_up()


def test_a_number_that_was_never_public_is_absent_by_the_list(npm_only: Synced) -> None:
    """And an odd one likewise; no address is made of either."""
    npm_only.syncer.read_heads()
    npm_only.now += 60
    npm_only.ask("2.1.320", "2.1.330-dev", "x/../y")
    assert npm_only.syncer.look_up()
    assert {npm_only.outcome(version) for version in ("2.1.320", "2.1.330-dev", "x/../y")} == {
        "absent"
    }
    reason = npm_only.current.ledger.lookup("2.1.320")
    assert reason is not None
    assert reason.reason == "npm has no such version"


def test_a_number_that_is_listed_by_now_is_not_kept_as_absent(
    npm_only: Synced, registry: "Registry"
) -> None:
    """A mirror may list a release minutes after the first laptop has it."""
    npm_only.syncer.read_heads()
    npm_only.now += 60
    npm_only.ask("2.1.331")
    npm_only.syncer.look_up()
    assert npm_only.outcome("2.1.331") == "absent"
    registry.add_sdk("0.3.331", "2.1.330")
    registry.add(CLI, "2.1.331", {"package.json": b"{}"})
    npm_only.now += 240
    npm_only.syncer.read_heads()
    npm_only.syncer.look_up()
    assert npm_only.outcome("2.1.331") == "found"


def test_a_laptop_that_updated_first_is_not_called_ahead(
    npm_only: Synced, registry: "Registry"
) -> None:
    """The heads are read again before its number is answered."""
    registry.tag("latest", "2.1.240")
    npm_only.syncer.read_heads()
    registry.tag("latest", "2.1.330")
    npm_only.now += 60
    npm_only.ask("2.1.330")
    assert npm_only.syncer.look_up()
    place = locate("2.1.330", "npm", "latest", 6 * 3_600, npm_only.current.ledger, npm_only.now)
    assert place.place == "head"


def test_a_laptop_that_is_ahead_is_checked_by_the_reading(
    npm_only: Synced, registry: "Registry"
) -> None:
    """The head was read after its report and is still older: now it is said."""
    registry.tag("latest", "2.1.240")
    npm_only.syncer.read_heads()
    npm_only.now += 60
    npm_only.ask("2.1.330")
    assert npm_only.syncer.look_up()
    place = locate("2.1.330", "npm", "latest", 6 * 3_600, npm_only.current.ledger, npm_only.now)
    assert (place.place, place.checked) == ("ahead", True)


def test_readings_for_look_ups_keep_a_distance(npm_only: Synced, registry: "Registry") -> None:
    """However fast new numbers come, the heads are not read for each of them."""
    npm_only.syncer.read_heads()
    registry.asked.clear()
    npm_only.now += 1
    npm_only.ask("9.9.8")
    assert not npm_only.syncer.look_up()
    assert npm_only.outcome("9.9.8") is None
    npm_only.ask("9.9.9")
    npm_only.now += READ_GAP_S
    assert npm_only.syncer.look_up()
    assert {npm_only.outcome("9.9.8"), npm_only.outcome("9.9.9")} == {"absent"}
    assert registry.paths() == [CLI]


def test_a_source_that_fails_now_proves_nothing(both: Synced, registry: "Registry") -> None:
    """The bucket has no such version, but the registry, which may know it, is away."""
    both.syncer.read_heads()
    registry.down = lambda _: Response(status=500)
    both.now += 60
    both.ask("2.1.331")
    both.syncer.look_up()
    assert both.outcome("2.1.331") == "failed"


def test_a_short_outage_takes_no_answer_back(npm_only: Synced, registry: "Registry") -> None:
    """A number that was never public is asked about every hour, also in an outage."""
    npm_only.syncer.read_heads()
    npm_only.now += 60
    npm_only.ask("2.1.320")
    npm_only.syncer.look_up()
    registry.down = lambda _: Response(status=500)
    for passed, outcome in ((3_600, "absent"), (EVIDENCE_KEPT_S, "failed")):
        npm_only.now += passed
        npm_only.ask("2.1.320")
        npm_only.syncer.look_up()
        assert npm_only.outcome("2.1.320") == outcome


def test_a_source_away_for_long_holds_nothing_up(both: Synced, registry: "Registry") -> None:
    """Then the others' word is what there is."""
    both.syncer.read_heads()
    registry.down = lambda _: Response(status=500)
    both.now += EVIDENCE_KEPT_S
    both.ask("2.1.331")
    both.syncer.look_up()
    assert both.outcome("2.1.331") == "absent"


def test_a_source_that_never_answered_is_no_evidence(
    both: Synced, registry: "Registry", bucket: "Bucket"
) -> None:
    """Neither of a version nor against one."""
    bucket.down = lambda _: Response(status=500)
    both.ask("2.1.320")
    both.syncer.look_up()
    assert both.outcome("2.1.320") == "absent"
    registry.down = bucket.down
    both.now += EVIDENCE_KEPT_S
    both.ask("2.1.321")
    both.syncer.look_up()
    assert both.outcome("2.1.321") == "failed"


def test_without_any_source_the_answer_is_why(writer: Writer) -> None:
    """Never a guess: the reason names what to set."""
    server = Synced(writer, [NpmSource(None)])
    assert not server.syncer.read_heads()
    server.now += 60
    server.ask("2.1.330")
    server.syncer.look_up()
    lookup = server.current.ledger.lookup("2.1.330")
    assert lookup is not None
    assert (lookup.outcome, lookup.reason) == ("failed", "npm: no npm registry is known")


def test_javascript_is_hashed_out_of_its_package(npm_only: Synced, registry: "Registry") -> None:
    """2.1.112: native digests from the manifest, and npm's own file."""
    registry.add_sdk("0.2.112", "2.1.112")
    registry.add(CLI, "2.1.112", {"cli.js": b"// js"})
    npm_only.syncer.read_heads()
    npm_only.now += 60
    npm_only.ask("2.1.112")
    npm_only.syncer.look_up()
    found = npm_only.current.ledger.artifact(hashlib.sha256(b"// js").hexdigest())
    assert found is not None
    assert (found.form, found.platform) == ("js", None)
    assert len(npm_only.current.ledger.artifacts("2.1.112")) == 9


def test_only_the_platforms_that_reported_are_downloaded(
    npm_only: Synced, registry: "Registry"
) -> None:
    """2.1.166 has no SDK package: one laptop's platform is one package, and once."""
    for platform in ("linux-x64", "darwin-arm64"):
        registry.add(f"{CLI}-{platform}", "2.1.166", {"claude": platform.encode()})
    npm_only.syncer.read_heads()
    npm_only.report("2.1.166", "linux-x64")
    for _ in range(2):
        npm_only.now += 60
        npm_only.ask("2.1.166")
        npm_only.syncer.look_up()
    assert npm_only.outcome("2.1.166") == "found"
    assert [item.platform for item in npm_only.current.ledger.artifacts("2.1.166")] == ["linux-x64"]
    assert len([path for path in registry.paths() if path.endswith("2.1.166.tgz")]) == 1


def test_packages_are_few_an_hour(npm_only: Synced, registry: "Registry") -> None:
    """Further ones say that they wait, and come later by themselves."""
    versions = [f"2.0.{patch}" for patch in range(DOWNLOADS_MAX + 2)]
    for version in versions:
        registry.add(CLI, version, {"cli.js": version.encode()})
    npm_only.syncer.read_heads()
    npm_only.now += 60
    npm_only.ask(*versions)
    npm_only.syncer.look_up()
    outcomes = [npm_only.outcome(version) for version in versions]
    assert outcomes == ["found"] * DOWNLOADS_MAX + ["failed"] * 2
    npm_only.now += WINDOW_S
    npm_only.ask(*versions[-2:])
    npm_only.syncer.look_up()
    assert {npm_only.outcome(version) for version in versions} == {"found"}


def test_readings_and_look_ups_do_not_meet(npm_only: Synced) -> None:
    """Two jobs of the worker at once leave a ledger that is whole."""
    npm_only.ask("2.1.320", "2.1.240")
    jobs: list[Callable[[], bool]] = [npm_only.syncer.read_heads, npm_only.syncer.look_up]
    threads = [threading.Thread(target=job) for job in jobs * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    npm_only.now += READ_GAP_S
    npm_only.syncer.look_up()
    assert (npm_only.outcome("2.1.320"), npm_only.outcome("2.1.240")) == ("absent", "found")


def _manifest(version: str) -> bytes:
    return (_MANIFESTS / f"{version}.json").read_bytes()
