"""The release bucket: pointers, manifests, and when a missing one says something."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from werkzeug import Request, Response

from server.errors import SourceError
from server.fetch import Fetcher
from server.releases.sources.bucket import BucketSource, open_source
from server.releases.sources.interface import ForgedError, Memory, NoWordError, Package
from server.settings import load
from tests.server.releases.repository import application, applied, signer

if TYPE_CHECKING:
    from tests.server.releases.conftest import Bucket
    from tests.server.releases.repository import Repository

FILES = {"linux-x64": b"linux", "darwin-arm64": b"arm", "darwin-x64": b"intel"}


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


def test_an_unchanged_pointer_is_not_sent_again(repository: "Repository") -> None:
    """The second reading costs two answers of 304, and a move is seen at once."""
    repository.point("latest", "2.1.330")
    repository.point("stable", "2.1.240")
    source = repository.source()
    first = source.read()
    assert source.read() == first
    repository.point("latest", "2.1.331")
    assert source.read().heads == {"latest": "2.1.331", "stable": "2.1.240"}
    repository.remove("/claude-code-releases/stable")
    assert source.read().heads == {"latest": "2.1.331"}


def test_a_source_of_the_settings_pins_the_real_keys(
    repository: "Repository", tmp_path: Path
) -> None:
    """It trusts the named authority's certificate, and no release key but the pinned ones."""
    repository.point("latest", "2.1.330")
    repository.publish("2.1.330", FILES)
    settings = load({}, None, {"bucket_url": repository.url, "ca_file": repository.ca_file})
    source = open_source(settings, {}, tmp_path, Memory())
    assert source is not None
    assert source.read().heads == {"latest": "2.1.330"}
    with pytest.raises(ForgedError, match="not the pinned RSA key"):
        source.manifest("2.1.330")


def test_keys_are_asked_for_once_however_many_releases(repository: "Repository") -> None:
    """They stay where they were put, also for the next source."""
    keep = Memory()
    for version in ("2.1.116", "2.1.329", "2.1.330"):
        repository.publish(version, FILES)
        for _ in range(2):
            repository.source(keep).manifest(version)
    assert repository.count("/keys/claude-code.rsa.pub") == 1
    assert repository.count("/keys/claude-code.asc") == 1


def test_a_signed_release_is_told_with_its_applications(repository: "Repository") -> None:
    """Programs by the first manifest; applications, to be hashed, by the second."""
    repository.publish("2.1.330", FILES)
    told = repository.source().manifest("2.1.330")
    assert told is not None
    assert {(item.platform, item.trust) for item in told.artifacts} == {
        ("linux-x64", "signed"),
        ("darwin-arm64", "signed"),
        ("darwin-x64", "signed"),
    }
    assert told.packages == (Package("darwin-arm64", "bundle"), Package("darwin-x64", "bundle"))
    assert told.warnings == ()


def test_missing_signatures_are_warnings(repository: "Repository") -> None:
    """One of each manifest that should have one."""
    repository.publish("2.1.330", FILES, signed=False)
    told = repository.source().manifest("2.1.330")
    assert told is not None
    assert {item.trust for item in told.artifacts} == {"stated"}
    assert [warning.split()[0] for warning in told.warnings] == [
        "manifest.json",
        "manifest.zst.json",
    ]


def test_a_forged_second_manifest_spoils_the_release(repository: "Repository") -> None:
    """Its right first one is not told without it: somebody is at work there."""
    repository.publish("2.1.330", FILES)
    forged = {"version": "2.1.330", "platforms": {"x": {"checksum": "0" * 64, "size": 1}}}
    repository.put_manifest("2.1.330", "manifest.zst.json", forged, signer("other"))
    with pytest.raises(ForgedError):
        repository.source().manifest("2.1.330")


@pytest.mark.parametrize(("version", "trust"), [("2.1.330", "signed"), ("2.1.116", "stated")])
def test_the_program_of_an_application_is_hashed(
    repository: "Repository", version: str, trust: str
) -> None:
    """With the trust of the manifest that vouches for its archive."""
    repository.publish(version, FILES)
    program = applied(FILES["darwin-x64"])
    found = repository.source().hash_package(version, Package("darwin-x64", "bundle"))
    assert found is not None
    assert (found.version, found.platform, found.form) == (version, "darwin-x64", "bundle")
    assert (found.sha256, found.size) == (hashlib.sha256(program).hexdigest(), len(program))
    assert (found.trust, found.source) == (trust, "bucket")


def test_an_application_with_other_bytes_is_forged(repository: "Repository") -> None:
    """Whole in itself, and not the one that the manifest states."""
    repository.publish("2.1.330", FILES)
    place = "2.1.330/darwin-x64/claude.app.tar.zst"
    for exchanged in (application(b"another"), application(b"x", "claude.app/x"), b"junk"):
        repository.put(place, exchanged)
        with pytest.raises(ForgedError, match="other bytes"):
            repository.source().hash_package("2.1.330", Package("darwin-x64", "bundle"))


def test_an_application_that_breaks_off_is_tried_again(repository: "Repository") -> None:
    """A lost connection is no forgery."""

    def cut(_: Request) -> Response:
        response = Response(iter([b"(\xb5/\xfd"]), direct_passthrough=True)
        response.headers["Content-Length"] = "9000"
        return response

    repository.publish("2.1.330", FILES)
    repository.answer("2.1.330/darwin-x64/claude.app.tar.zst", cut)
    with pytest.raises(SourceError, match="broke off") as told:
        repository.source().hash_package("2.1.330", Package("darwin-x64", "bundle"))
    assert not isinstance(told.value, ForgedError)


def test_what_is_no_application_is_not_downloaded(repository: "Repository") -> None:
    """Other forms, other platforms, a release without the second manifest, a missing archive."""
    repository.publish("2.1.330", FILES)
    source = repository.source()
    for package in (
        Package("darwin-x64", "binary"),
        Package("linux-x64", "bundle"),
        Package(None, "bundle"),
    ):
        assert source.hash_package("2.1.330", package) is None
    repository.remove("2.1.330/darwin-x64/claude.app.tar.zst")
    assert source.hash_package("2.1.330", Package("darwin-x64", "bundle")) is None
    repository.withdraw("2.1.330")
    assert source.hash_package("2.1.330", Package("darwin-arm64", "bundle")) is None
    assert not [path for path in repository.asked if "linux-x64" in path]


def test_a_bucket_that_denies_is_not_taken_for_empty(bucket: "Bucket") -> None:
    """403 on a manifest says nothing: storage that lists nothing denies missing objects, too."""
    bucket.down = lambda _: Response(status=403)
    with pytest.raises(NoWordError):
        _source(bucket).manifest("2.1.320")
    with pytest.raises(SourceError):
        _source(bucket).read()
