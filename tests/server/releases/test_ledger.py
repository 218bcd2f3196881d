"""The ledger: what it answers for any history of readings."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from server.releases.ledger import (
    SOURCES_DIFFER_S,
    Artifact,
    Ledger,
    Lookup,
    Reading,
    Release,
    Trust,
)
from server.releases.runs import GONE_S
from server.releases.versions import is_newer

NOW = 1_000_000

_number = st.integers(0, 30).map(lambda patch: f"2.1.{patch}")
_instant = st.integers(0, NOW)


@st.composite
def _readings(draw: st.DrawFn) -> list[Reading]:
    """Runs of each pointer, one after the other in time."""
    readings = []
    for source in ("npm", "bucket"):
        moments = sorted(draw(st.lists(_instant, max_size=10, unique=True)))
        for first, last in zip(moments[::2], moments[1::2], strict=False):
            readings.append(Reading(source, "latest", draw(_number), first, last))
    return draw(st.permutations(readings))


_releases = st.lists(
    st.builds(
        Release,
        version=_number,
        published_at=st.none() | _instant,
        build_date=st.none() | _instant,
    ),
    unique_by=lambda release: release.version,
)


@given(_readings())
def test_the_head_is_the_last_reading_whatever_order_they_come_in(readings: list[Reading]) -> None:
    """One head per pointer, in the order of sources."""
    heads = Ledger(readings).heads("latest")
    assert [head.source for head in heads] == sorted({item.source for item in readings})
    for head in heads:
        own = [item for item in readings if item.source == head.source]
        assert head == max(own, key=lambda item: item.first_seen)


@given(_readings(), st.sampled_from(["npm", "native", "homebrew"]), _instant)
def test_a_copy_is_judged_by_its_own_updaters_source(
    readings: list[Reading], method: str, now: int
) -> None:
    """First comes what its updater follows; others count while they agree, or for six hours.

    A source that was last read a week before another is given up.
    """
    heads = Ledger(readings).heads_for(method, "latest", now)
    known = {head.source: head for head in Ledger(readings).heads("latest")}
    own = {"npm": "npm", "native": "bucket"}.get(method)
    assert bool(heads) == bool(known)
    latest = max((head.last_seen for head in known.values()), default=0)
    if own in known and latest < known[own].last_seen + GONE_S:
        assert heads[0] == known[own]
    for other in heads[1:]:
        moved = max(other.first_seen, heads[0].first_seen)
        assert other.version == heads[0].version or now < moved + SOURCES_DIFFER_S


def test_a_copy_without_a_source_of_its_own_is_always_judged_by_the_same_one() -> None:
    """By whichever was read last it would turn with every reading; one given up is left."""
    npm = Reading("npm", "latest", "2.1.330", 0, NOW)
    bucket = Reading("bucket", "latest", "2.1.329", 0, NOW - 60)
    for each in (npm, replace(npm, last_seen=NOW - 120)):
        assert Ledger([each, bucket]).heads_for("homebrew", "latest", NOW)[0].source == "bucket"
    given_up = replace(bucket, last_seen=NOW - 7200)
    assert Ledger([npm, given_up]).heads_for("homebrew", "latest", NOW)[0].source == "npm"


def test_a_source_that_is_read_no_longer_decides_for_nobody() -> None:
    """One that was switched off, or dropped the channel: its last word would stand for ever."""
    bucket = Reading("bucket", "latest", "2.1.300", 0, NOW - GONE_S)
    npm = Reading("npm", "latest", "2.1.330", 0, NOW)
    assert Ledger([npm, bucket]).heads_for("native", "latest", NOW)[0] == bucket
    gone = replace(bucket, last_seen=NOW - GONE_S - 1)
    assert Ledger([npm, gone]).heads_for("native", "latest", NOW) == (npm,)


@given(_readings(), _releases, _number)
def test_a_replacement_is_a_reading_or_says_that_it_is_an_estimate(
    readings: list[Reading], releases: list[Release], version: str
) -> None:
    """What was read is exact: the moment at which some run began."""
    ledger = Ledger(readings, releases)
    for head in ledger.heads("latest"):
        replaced = ledger.replaced(version, head)
        if version == head.version:
            assert replaced is None
        elif replaced is not None and not replaced.estimated:
            begun = {item.first_seen for item in readings if item.source == head.source}
            assert replaced.at in begun


@given(_readings(), _number)
def test_a_version_that_was_read_was_replaced_when_it_was_read_to_move(
    readings: list[Reading], version: str
) -> None:
    """The last move away from it, also if it was the head more than once."""
    ledger = Ledger(readings)
    for head in ledger.heads("latest"):
        runs = sorted(
            (item for item in readings if item.source == head.source),
            key=lambda item: item.first_seen,
        )
        moves = [
            after.first_seen
            for before, after in pairwise(runs)
            if before.version == version != after.version
        ]
        if moves and version != head.version:
            replaced = ledger.replaced(version, head)
            assert replaced is not None
            assert (replaced.at, replaced.estimated) == (moves[-1], False)


def test_a_skipped_version_was_replaced_by_the_first_newer_one() -> None:
    """2.1.2 came and went between two readings."""
    runs = [
        Reading("npm", "latest", "2.1.1", 10, 20),
        Reading("npm", "latest", "2.1.3", 30, 40),
        Reading("npm", "latest", "2.1.4", 50, 60),
    ]
    replaced = Ledger(runs).replaced("2.1.2", runs[-1])
    assert replaced is not None
    assert (replaced.at, replaced.estimated) == (30, False)


def test_one_run_told_in_two_rows_is_no_move() -> None:
    """Two rows of one version in a row do not end it."""
    runs = [
        Reading("npm", "latest", "2.1.1", 10, 20),
        Reading("npm", "latest", "2.1.1", 25, 28),
        Reading("npm", "latest", "2.1.2", 30, 40),
    ]
    replaced = Ledger(runs).replaced("2.1.1", runs[-1])
    assert replaced is not None
    assert replaced.at == 30


@given(_releases, st.lists(_number, min_size=2, max_size=2))
def test_estimates_never_run_backwards(releases: list[Release], versions: list[str]) -> None:
    """Where no build date pushes one up, an older version was replaced no later."""
    plain = [Release(item.version, item.published_at) for item in releases]
    head = Reading("npm", "latest", "2.1.99", NOW, NOW)
    ledger = Ledger([head], plain)
    older, newer = sorted((Release(version) for version in versions), key=_patch)
    first, second = (ledger.replaced(item.version, head) for item in (older, newer))
    if first is not None and second is not None:
        assert first.at <= second.at


@given(_releases, _number)
def test_no_version_is_replaced_before_the_next_one_was_built(
    releases: list[Release], version: str
) -> None:
    """A build date bounds the estimate from below."""
    head = Reading("npm", "latest", "2.1.99", NOW, NOW)
    later = [item for item in releases if is_newer(item.version, version)]
    following = min(later, key=_patch, default=None)
    if following is not None and following.published_at is not None:
        replaced = Ledger([head], releases).replaced(version, head)
        assert replaced is not None
        assert replaced.at >= (following.build_date or 0)


def test_a_late_stamp_of_an_old_version_is_brought_into_order() -> None:
    """The registry stamps 2.1.2 with a time after 2.1.3's (facts 2.8)."""
    releases = [Release("2.1.1", 10), Release("2.1.2", 900), Release("2.1.3", 30)]
    head = Reading("npm", "latest", "2.1.3", 100, 100)
    replaced = Ledger([head], releases).replaced("2.1.1", head)
    assert replaced is not None
    assert (replaced.at, replaced.estimated) == (30, True)


def test_an_estimate_is_never_later_than_the_reading_that_showed_it_replaced() -> None:
    """A registry that stamps its versions anew gives nobody more time."""
    for stamped_at in (30, 900):
        later = [Release("2.1.1", 20), Release("2.1.2", stamped_at), Release("2.1.3", stamped_at)]
        ledger = Ledger([Reading("npm", "latest", "2.1.3", 100, 1_000)], later)
        replaced = ledger.replaced("2.1.1", ledger.heads("latest")[0])
        assert replaced is not None
        assert (replaced.at, replaced.estimated) == (min(stamped_at, 100), True)


def test_equal_bytes_are_told_by_the_first_and_kept_of_all() -> None:
    """Two sources vouch for one file."""
    first = Artifact("2.1.1", "linux-x64", "binary", "a" * 64, 1, "registry", "npm")
    second = Artifact("2.1.1", "linux-x64", "binary", "a" * 64, 1, "stated", "bucket")
    ledger = Ledger(artifacts=[first, second])
    assert ledger.artifact("a" * 64) == first
    assert ledger.artifacts("2.1.1") == (first, second)
    assert ledger.files() == {first, second}


def test_an_empty_ledger_knows_nothing() -> None:
    """And says so without an error."""
    ledger = Ledger()
    assert ledger.heads() == ledger.heads_for("npm", "latest", NOW) == ()
    assert ledger.artifact("a" * 64) is None
    assert ledger.release("2.1.1") is None
    assert ledger.lookup("2.1.1") is None
    assert ledger.replaced("2.1.1", Reading("npm", "latest", "2.1.2", 1, 2)) is None


def test_look_ups_and_releases_are_listed() -> None:
    """Releases newest first, whatever order they came in."""
    lookup = Lookup("2.1.9", 1, None, "waiting")
    ledger = Ledger(
        releases=[Release("2.1.9"), Release("2.1.10"), Release("odd")], lookups=[lookup]
    )
    assert [item.version for item in ledger.releases()] == ["2.1.10", "2.1.9"]
    assert list(ledger.lookups()) == [lookup]


@given(_readings(), _instant, st.permutations(range(12)))
def test_the_order_of_readings_does_not_matter(
    readings: list[Reading], at: int, places: list[int]
) -> None:
    """Every question has the same answer, whatever was loaded first."""
    shuffled = [item for _, item in sorted(zip(places, readings, strict=False))]
    one, other = Ledger(readings[: len(places)]), Ledger(shuffled)
    assert one.heads() == other.heads()
    assert one.head_at("latest", at) == other.head_at("latest", at)
    for source in ("npm", "bucket"):
        assert one.moves(source, "latest") == other.moves(source, "latest")
        assert one.readings(source, "latest") == other.readings(source, "latest")
    for head in one.heads():
        for patch in range(31):
            version = f"2.1.{patch}"
            assert one.replaced(version, head) == other.replaced(version, head)
            assert one.left(version, head) == other.left(version, head)


@given(_readings(), _instant)
def test_what_was_public_at_a_moment_is_what_a_ledger_of_then_showed(
    readings: list[Reading], at: int
) -> None:
    """Nothing read later changes what is said of the past."""
    then = [
        Reading(item.source, item.channel, item.version, item.first_seen, min(item.last_seen, at))
        for item in readings
        if item.first_seen <= at
    ]
    known = {head.source: head.version for head in Ledger(then).heads("latest")}
    told = Ledger(readings).head_at("latest", at)
    assert {head.source: head.version for head in told} == known
    for source in known:
        assert [head.source for head in Ledger(readings).head_at("latest", at, source)] == [source]


def test_the_past_of_a_channel_that_nobody_shows_is_empty() -> None:
    """As is the time before the first reading."""
    ledger = Ledger([Reading("npm", "latest", "2.1.1", 10, 20)])
    assert ledger.head_at("stable", 15) == ledger.head_at("latest", 9) == ()
    assert ledger.readings("npm", "stable") == ()
    assert ledger.moves("npm", "stable") == ()


def test_a_channel_left_a_version_also_where_only_another_source_saw_it() -> None:
    """Npm was not read while it pointed to 2.1.116, the bucket was."""
    npm = Reading("npm", "latest", "2.1.114", 0, 100)
    bucket = [
        Reading("bucket", "latest", "2.1.116", 10, 40),
        Reading("bucket", "latest", "2.1.114", 50, 100),
    ]
    left = Ledger([npm, *bucket]).left("2.1.116", npm)
    assert left is not None
    assert (left.at, left.estimated) == (50, False)


def test_a_version_that_another_source_left_behind_was_not_moved_back() -> None:
    """The bucket went on from 2.1.116 to 2.1.117; npm lags, and 2.1.116 is ahead of it."""
    npm = Reading("npm", "latest", "2.1.114", 0, 100)
    bucket = [
        Reading("bucket", "latest", "2.1.116", 10, 40),
        Reading("bucket", "latest", "2.1.117", 50, 100),
    ]
    assert Ledger([npm, *bucket]).left("2.1.116", npm) is None


def test_releases_since_a_moment_go_by_times_in_order() -> None:
    """2.1.2 was stamped long after 2.1.3, which came after it."""
    releases = [Release("2.1.1", 10), Release("2.1.2", 900), Release("2.1.3", 30), Release("2.1.4")]
    ledger = Ledger(releases=releases)
    assert [item.version for item in ledger.published_since(20)] == ["2.1.3", "2.1.2"]
    assert [item.version for item in ledger.published_since(31)] == []


def test_of_equal_bytes_the_best_established_is_told_whatever_came_first() -> None:
    """Signed before registry before stated before learned."""
    trusts: list[Trust] = ["learned", "stated", "registry", "signed"]
    while trusts:
        files = [
            Artifact("2.1.1", "linux-x64", "binary", "a" * 64, 1, each, each) for each in trusts
        ]
        found = Ledger(artifacts=files).artifact("a" * 64)
        assert found is not None
        assert found.trust == trusts.pop()


def _patch(release: Release) -> int:
    return int(release.version.rpartition(".")[2])
