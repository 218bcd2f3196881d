"""The release bucket: pointers, manifests, and when a missing one says something."""

from typing import TYPE_CHECKING

import pytest
from werkzeug import Response

from server.errors import SourceError
from server.fetch import Fetcher
from server.releases.sources.bucket import BucketSource
from server.releases.sources.interface import NoWordError, Package

if TYPE_CHECKING:
    from tests.server.releases.conftest import Bucket


def _source(bucket: "Bucket") -> BucketSource:
    return BucketSource(Fetcher(bucket.url))


def test_the_pointers_are_the_heads(bucket: "Bucket") -> None:
    """Plain text, with or without a line end."""
    reading = _source(bucket).read()
    assert reading.heads == {"latest": "2.1.330", "stable": "2.1.240"}
    assert reading.releases == ()


def test_a_pointer_that_does_not_exist_is_left_out(bucket: "Bucket") -> None:
    """The other one still counts; none at all is the wrong place."""
    del bucket.answers["stable"]
    assert _source(bucket).read().heads == {"latest": "2.1.330"}
    del bucket.answers["latest"]
    with pytest.raises(SourceError, match="neither latest nor stable"):
        _source(bucket).read()


@pytest.mark.parametrize(
    "body", [b"", b"2.1", b"v2.1.330", b"2.1.330 2.1.331", b"../2.1.330", b"\xff", b"x" * 2_000]
)
def test_a_pointer_that_is_no_version_is_refused(bucket: "Bucket", body: bytes) -> None:
    """Nothing of it is guessed."""
    bucket.put("latest", body, "text/plain")
    with pytest.raises(SourceError):
        _source(bucket).read()


def test_a_sign_in_page_is_no_pointer(bucket: "Bucket") -> None:
    """Whatever the type that it claims."""
    for content_type in ("text/html", "text/plain"):
        bucket.put("latest", b"<html>sign in</html>", content_type)
        with pytest.raises(SourceError, match=r"sign-in|web page|no version"):
            _source(bucket).read()


def test_a_manifest_states_every_platform(bucket: "Bucket") -> None:
    """Vouched for by TLS alone, and said so."""
    told = _source(bucket).manifest("2.1.330")
    assert told is not None
    assert len(told.artifacts) == 8
    assert {(item.trust, item.source) for item in told.artifacts} == {("stated", "bucket")}
    assert told.release.build_date == 1_795_197_316
    assert told.packages == ()


def test_a_manifest_of_another_version_is_refused(bucket: "Bucket") -> None:
    """A cache that answers with the wrong one vouches for nothing."""
    bucket.answers["2.1.331/manifest.json"] = bucket.answers["2.1.330/manifest.json"]
    with pytest.raises(SourceError, match=r"manifest of 2\.1\.331 says 2\.1\.330"):
        _source(bucket).manifest("2.1.331")


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b"{" * 1_000, b" " * 70_000])
def test_a_manifest_that_is_none_is_refused(bucket: "Bucket", body: bytes) -> None:
    """Broken, foreign, or beyond its limit."""
    bucket.put("2.1.330/manifest.json", body)
    with pytest.raises(SourceError):
        _source(bucket).manifest("2.1.330")


def test_a_missing_manifest_says_that_there_is_no_such_version(bucket: "Bucket") -> None:
    """Since npm ships the same bytes."""
    assert _source(bucket).manifest("2.1.320") is None


def test_a_missing_manifest_of_an_old_version_says_nothing(bucket: "Bucket") -> None:
    """It may have been public as npm's JavaScript alone."""
    with pytest.raises(NoWordError):
        _source(bucket).manifest("2.1.43")


@pytest.mark.parametrize("version", ["2.1.330-dev", "../latest", "2.1.330/..", "", "2.1.330\n"])
def test_no_address_is_made_of_an_odd_number(bucket: "Bucket", version: str) -> None:
    """Only plain release numbers are asked for."""
    with pytest.raises(NoWordError):
        _source(bucket).manifest(version)
    assert bucket.asked == []


def test_there_is_no_package_to_hash(bucket: "Bucket") -> None:
    """The manifest has told everything."""
    assert _source(bucket).hash_package("2.1.330", Package("linux-x64", "binary")) is None


def test_a_bucket_that_denies_is_not_taken_for_empty(bucket: "Bucket") -> None:
    """403 on a manifest says nothing: storage that lists nothing denies missing objects, too."""
    bucket.down = lambda _: Response(status=403)
    with pytest.raises(NoWordError):
        _source(bucket).manifest("2.1.320")
    with pytest.raises(SourceError):
        _source(bucket).read()
