"""What is public, as shown."""

from server.releases.ledger import Artifact, Ledger, Reading, Release
from server.views import releases

LEDGER = Ledger(
    readings=[
        Reading("npm", "latest", "2.1.330", 10, 40),
        Reading("bucket", "stable", "2.1.9", 10, 40),
    ],
    releases=[Release("2.1.9"), Release("2.1.330", 5, 4, "c" * 40), Release("2.1.10")],
    artifacts=[Artifact("2.1.330", "linux-x64", "binary", "a" * 64, 7, "registry", "npm")],
)


def test_releases_are_told_newest_first_up_to_the_limit() -> None:
    """By their numbers, not by their letters."""
    seen = releases.view(LEDGER, 2)
    assert [each.version for each in seen.releases] == ["2.1.330", "2.1.10"]


def test_a_release_is_told_with_its_files_and_the_channels_that_point_to_it() -> None:
    """With how each digest was established."""
    newest, _, oldest = releases.view(LEDGER, 3).releases
    assert newest.channels == ("npm latest",)
    assert (newest.published_at, newest.build_date, newest.commit) == (5, 4, "c" * 40)
    (file,) = newest.files
    assert (file.platform, file.trust, file.source) == ("linux-x64", "registry", "npm")
    assert (oldest.channels, oldest.files) == (("bucket stable",), ())


def test_every_head_is_told_whatever_the_limit() -> None:
    """A head may be an old release."""
    seen = releases.view(LEDGER, 1)
    assert {(head.source, head.channel, head.version) for head in seen.heads} == {
        ("npm", "latest", "2.1.330"),
        ("bucket", "stable", "2.1.9"),
    }


def test_releases_of_some_days_are_told_with_those_that_a_channel_points_to() -> None:
    """A head may be older, and is what laptops are compared with."""
    ledger = Ledger(
        readings=[Reading("npm", "stable", "2.1.8", 10, 40)],
        releases=[Release("2.1.8", 5), Release("2.1.9", 15), Release("2.1.10", 25)],
    )
    seen = releases.view(ledger, since=20)
    assert [each.version for each in seen.releases] == ["2.1.10", "2.1.8"]
    assert [each.version for each in releases.view(ledger).releases] == ["2.1.10", "2.1.9", "2.1.8"]


def test_a_withdrawn_release_says_since_when() -> None:
    """It stays in the ledger, for the laptops that have it."""
    ledger = Ledger(releases=[Release("2.1.8", 5, withdrawn_at=30), Release("2.1.9", 15)])
    assert [each.withdrawn_at for each in releases.view(ledger).releases] == [None, 30]
