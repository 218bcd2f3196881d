"""What the sources said, as it is kept."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from agent.digest import canonical
from agent.wire import Build, Install, Profile
from server.releases.ledger import Artifact, Release
from server.store import published
from server.store.public import load_ledger
from server.store.published import Conflict
from server.store.tables import profiles, readings
from tests.server.databases import SHARED, Fresh, written

GOOD, OTHER = "a" * 64, "b" * 64
FILE = Artifact("2.1.1", "linux-x64", "binary", GOOD, 10, "registry", "npm")


@SHARED
@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from("abc")), max_size=30))
def test_readings_are_only_ever_appended(fresh: Fresh, steps: list[tuple[int, str]]) -> None:
    """One row a run, in order, each from its first to its last reading."""
    with fresh() as conn:
        now = 0
        expected: list[tuple[str, int, int]] = []
        for pause, version in steps:
            now += pause
            published.save_heads(conn, "npm", {"latest": version}, now)
            if expected and expected[-1][0] == version:
                expected[-1] = (version, expected[-1][1], max(expected[-1][2], now))
            elif expected:
                seen = max(now, expected[-1][1] + 1, expected[-1][2])
                expected.append((version, seen, seen))
            else:
                expected.append((version, now, now))
        kept = conn.execute(readings.select().order_by(readings.c.id))
        rows = [(row.version, row.first_seen, row.last_seen) for row in kept]
    assert rows == expected


def test_a_clock_set_back_makes_no_reading_older(conn: Connection) -> None:
    """What was read last stays read then."""
    published.save_heads(conn, "npm", {"latest": "2.1.1"}, 100)
    published.save_heads(conn, "npm", {"latest": "2.1.1"}, 90)
    (head,) = load_ledger(conn).heads()
    assert (head.first_seen, head.last_seen) == (100, 100)


@SHARED
@given(st.lists(st.tuples(st.integers(0, 100), st.sampled_from("123")), min_size=1, max_size=20))
def test_what_was_read_last_is_the_head_whatever_the_clock(
    fresh: Fresh, steps: list[tuple[int, str]]
) -> None:
    """A clock that ran ahead and was set back leaves no later reading behind an earlier one."""
    with fresh() as conn:
        for now, patch in steps:
            published.save_heads(conn, "npm", {"latest": f"2.1.{patch}"}, now)
            (head,) = load_ledger(conn).heads("latest")
            assert head.version == f"2.1.{patch}"


def test_pointers_of_one_name_are_kept_apart_by_source(conn: Connection) -> None:
    """Each source has its own say."""
    published.save_heads(conn, "npm", {"latest": "2.1.2", "stable": "2.1.1"}, 10)
    published.save_heads(conn, "bucket", {"latest": "2.1.1"}, 20)
    heads = {(head.source, head.channel): head.version for head in load_ledger(conn).heads()}
    assert heads == {
        ("npm", "latest"): "2.1.2",
        ("npm", "stable"): "2.1.1",
        ("bucket", "latest"): "2.1.1",
    }


def test_a_release_keeps_what_is_not_told_again(conn: Connection) -> None:
    """The list knows no build date, the manifest no publish time; a new time replaces."""
    published.save_releases(conn, "npm", [Release("2.1.1", published_at=10)])
    published.save_releases(conn, "npm", [Release("2.1.1", build_date=5, commit="c")])
    published.save_releases(conn, "npm", [Release("2.1.1", published_at=11)])
    assert load_ledger(conn).release("2.1.1") == Release("2.1.1", 11, 5, "c")


def test_two_sources_make_one_release(conn: Connection) -> None:
    """What one does not tell, the other may."""
    published.save_releases(conn, "npm", [Release("2.1.1", published_at=10)])
    published.save_releases(conn, "bucket", [Release("2.1.1", build_date=5)])
    assert list(load_ledger(conn).releases()) == [Release("2.1.1", 10, 5)]


def test_the_same_list_again_writes_nothing(conn: Connection) -> None:
    """It comes every few minutes."""
    listed = [Release(f"2.1.{patch}", patch) for patch in range(500)]
    published.save_releases(conn, "npm", listed)
    conn.commit()
    before = written(conn)
    published.save_releases(conn, "npm", listed)
    assert written(conn) == before


def test_a_file_republished_with_other_bytes_keeps_its_first_digest(conn: Connection) -> None:
    """The difference is handed back, each time that it is said."""
    changed = replace(FILE, sha256=OTHER)
    assert published.save_artifacts(conn, [FILE], 10) == ()
    for _ in range(2):
        assert published.save_artifacts(conn, [changed], 20) == (Conflict(FILE, changed),)
    ledger = load_ledger(conn)
    assert ledger.artifacts("2.1.1") == (FILE,)
    assert ledger.artifact(OTHER) is None


def test_sources_that_disagree_are_both_kept_and_told_once(conn: Connection) -> None:
    """Each one's word stands; the same word again is nothing new."""
    other = replace(FILE, sha256=OTHER, source="bucket", trust="stated")
    published.save_artifacts(conn, [FILE], 10)
    assert published.save_artifacts(conn, [other], 20) == (Conflict(FILE, other),)
    assert published.save_artifacts(conn, [FILE, other], 30) == ()
    assert load_ledger(conn).files() == {FILE, other}


def test_sources_that_agree_are_no_conflict(conn: Connection) -> None:
    """Of equal bytes the better established word is told."""
    stated = replace(FILE, source="bucket", trust="stated")
    published.save_artifacts(conn, [stated], 10)
    assert published.save_artifacts(conn, [FILE], 20) == ()
    assert load_ledger(conn).artifact(GOOD) == FILE


def test_javascript_and_native_bytes_are_two_files(conn: Connection) -> None:
    """2.1.112 has both, and neither contradicts the other."""
    script = Artifact("2.1.1", None, "js", OTHER, 5, "registry", "npm")
    assert published.save_artifacts(conn, [FILE, script], 10) == ()
    assert load_ledger(conn).files() == {FILE, script}


def test_a_better_trust_replaces_a_lesser_one_of_the_same_bytes(conn: Connection) -> None:
    """A manifest whose signature came later; never the other way round."""
    stated, signed = (replace(FILE, source="bucket", trust=trust) for trust in ("stated", "signed"))
    for word in (stated, signed, stated):
        assert published.save_artifacts(conn, [word], 10) == ()
    assert load_ledger(conn).files() == {signed}


def test_signed_bytes_take_the_place_of_other_unsigned_ones(conn: Connection) -> None:
    """Whoever kept a signature back for a while does not decide what is public for ever."""
    stated = replace(FILE, source="bucket", trust="stated", sha256=OTHER, size=9)
    signed = replace(FILE, source="bucket", trust="signed")
    published.save_artifacts(conn, [stated], 10)
    assert published.save_artifacts(conn, [signed], 20) == (Conflict(stated, signed),)
    assert published.save_artifacts(conn, [stated], 30) == (Conflict(signed, stated),)
    assert load_ledger(conn).files() == {signed}


def test_a_disputed_file_is_undisputed_only_with_one_digest(conn: Connection) -> None:
    """Whoever states it."""
    other = replace(FILE, source="bucket", sha256=OTHER)
    published.save_artifacts(conn, [FILE], 10)
    assert published.is_undisputed(conn, FILE)
    published.save_artifacts(conn, [other], 20)
    assert not published.is_undisputed(conn, FILE)


def test_a_release_keeps_what_its_manifest_tells_of_wrappers(conn: Connection) -> None:
    """Also after a list that tells nothing of them."""
    told = Release("2.1.1", build_date=5, harness_schema=3, tested_wrappers=("0.2.1", "0.3.1"))
    published.save_releases(conn, "npm", [told])
    published.save_list(conn, "npm", [Release("2.1.1", published_at=10)], 20)
    assert load_ledger(conn).release("2.1.1") == replace(told, published_at=10)


def test_a_version_that_is_listed_no_longer_is_withdrawn_since_then(conn: Connection) -> None:
    """It keeps its facts and its moment; listed again, it was never gone."""
    both = [Release("2.1.1", 10), Release("2.1.2", 20)]
    published.save_list(conn, "npm", both, 30)
    for now in (40, 50):
        published.save_list(conn, "npm", both[:1], now)
        assert load_ledger(conn).release("2.1.2") == replace(both[1], withdrawn_at=40)
    assert published.count_listed(conn, "npm") == 1
    published.save_list(conn, "npm", both, 60)
    assert set(load_ledger(conn).releases()) == set(both)
    assert published.count_listed(conn, "npm") == 2


def test_what_one_source_tells_withdraws_nothing_of_another(conn: Connection) -> None:
    """A single manifest is no list."""
    published.save_list(conn, "npm", [Release("2.1.1", 10)], 30)
    published.save_releases(conn, "bucket", [Release("2.1.2", build_date=5)])
    published.save_releases(conn, "npm", [Release("2.1.3", build_date=5)])
    assert all(each.withdrawn_at is None for each in load_ledger(conn).releases())


def test_the_platforms_that_reported_a_version_are_known(conn: Connection) -> None:
    """Of native binaries alone, and of that version alone."""
    builds = [
        Build(sha256=GOOD, size=1, form="binary", version="2.1.1", platform="linux-x64"),
        Build(sha256=GOOD, size=1, form="binary", version="2.1.1"),
        Build(sha256=GOOD, size=1, form="js", version="2.1.1", platform="none"),
        Build(sha256=GOOD, size=1, form="binary", version="2.1.2", platform="darwin-arm64"),
        None,
    ]
    installs = tuple(Install(method="npm", place="global", build=build) for build in builds)
    body = canonical(Profile(wire=1, os="linux", arch="x64", installs=installs))
    conn.execute(insert(profiles).values(digest="d", body=body, received_at=1))
    assert published.packages_seen(conn, "2.1.1") == {("linux-x64", "binary")}
    assert published.packages_seen(conn, "2.1.9") == frozenset()
