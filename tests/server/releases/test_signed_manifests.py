"""Manifests over HTTPS: who vouches for them, and every way in which nobody does."""

import json
from typing import TYPE_CHECKING

import pytest
from werkzeug import Request, Response

from server.errors import SourceError
from server.fetch_errors import NotFoundError
from server.releases.pinned_keys import PinnedKeys
from server.releases.signed_manifests import Name, SignedManifests, Vouched
from server.releases.sources.interface import ForgedError, Memory
from tests.server.releases.repository import signer

if TYPE_CHECKING:
    from tests.server.releases.repository import Repository

FILES = {"linux-x64": b"linux", "darwin-arm64": b"mac"}
PLAIN: Name = "manifest.json"
PACKED: Name = "manifest.zst.json"
RAW = ".raw-sig.json"


def _read(repository: "Repository", version: str, name: Name = PLAIN) -> Vouched:
    pins = signer().pins
    keys = PinnedKeys(repository.fetcher(), Memory(), pins)
    return SignedManifests(repository.fetcher(), keys, pins).read(version, name)


@pytest.mark.parametrize(
    ("version", "name", "trust"),
    [
        ("2.1.88", PLAIN, "stated"),
        ("2.1.89", PLAIN, "signed"),
        ("2.1.206", PLAIN, "signed"),
        ("2.1.206", PACKED, "stated"),
        ("2.1.207", PLAIN, "signed"),
        ("2.1.207", PACKED, "signed"),
        ("2.1.330", PLAIN, "signed"),
    ],
)
def test_a_manifest_is_signed_from_its_version_on(
    repository: "Repository", version: str, name: Name, trust: str
) -> None:
    """By GPG from 2.1.89, by the raw key from 2.1.207 on (facts 2.2); before, nothing is due."""
    repository.publish(version, FILES)
    told = _read(repository, version, name)
    assert (told.trust, told.warning) == (trust, None)
    assert told.manifest.release.version == version


def test_the_raw_signature_goes_first(repository: "Repository") -> None:
    """One is enough: the other is not asked for."""
    repository.publish("2.1.330", FILES)
    _read(repository, "2.1.330")
    assert repository.count(f"2.1.330/{PLAIN}{RAW}") == 1
    assert repository.count(f"2.1.330/{PLAIN}.sig") == 0


def test_without_the_raw_signature_the_other_one_counts(repository: "Repository") -> None:
    """It is signed as well."""
    repository.publish("2.1.330", FILES)
    repository.remove(f"2.1.330/{PLAIN}{RAW}")
    assert _read(repository, "2.1.330").trust == "signed"


@pytest.mark.parametrize(
    ("version", "name", "since"),
    [("2.1.330", PLAIN, "2.1.207"), ("2.1.330", PACKED, "2.1.207"), ("2.1.116", PLAIN, "2.1.89")],
)
@pytest.mark.parametrize("status", [404, 403])
def test_a_missing_signature_is_told(
    repository: "Repository", version: str, name: Name, since: str, status: int
) -> None:
    """What TLS vouches for remains, and an operator hears why it is no more."""
    repository.publish(version, FILES, signed=False)
    for suffix in (RAW, ".sig"):
        repository.answer(f"{version}/{name}{suffix}", lambda _: Response(status=status))
    told = _read(repository, version, name)
    assert told.trust == "stated"
    assert told.warning == (
        f"{name} of {version} has no signature, though releases from {since} on have one"
    )


def test_a_key_that_cannot_be_had_is_told(repository: "Repository") -> None:
    """The signature is there and is not checked: it is not signed."""
    repository.publish("2.1.330", FILES)
    repository.show_keys(None)
    told = _read(repository, "2.1.330")
    assert told.trust == "stated"
    assert told.warning is not None
    assert "not checked" in told.warning


@pytest.mark.parametrize("version", ["2.1.116", "2.1.330"])
def test_a_manifest_that_was_changed_is_forged(repository: "Repository", version: str) -> None:
    """The signature is of other bytes."""
    repository.publish(version, FILES)
    whole = repository.answers[f"/claude-code-releases/{version}/{PLAIN}"]

    def changed(request: Request) -> Response:
        return Response(whole(request).get_data() + b" ", content_type="application/json")

    repository.answer(f"{version}/{PLAIN}", changed)
    with pytest.raises(ForgedError):
        _read(repository, version)


@pytest.mark.parametrize("version", ["2.1.116", "2.1.330"])
def test_a_right_signature_by_another_key_is_forged(repository: "Repository", version: str) -> None:
    """Whether or not that key is shown as well."""
    repository.publish(version, FILES, signed=signer("other"))
    with pytest.raises(ForgedError):
        _read(repository, version)
    repository.show_keys(signer("other"))
    with pytest.raises(ForgedError):
        _read(repository, version)


@pytest.mark.parametrize("signed", [True, False])
def test_a_manifest_of_another_version_is_forged(repository: "Repository", *, signed: bool) -> None:
    """Also with its own right signature: an old release is not served under a new number."""
    repository.publish("2.1.329", FILES, signed=signed)
    for suffix in ("", RAW, ".sig"):
        answer = repository.answers.get(f"/claude-code-releases/2.1.329/{PLAIN}{suffix}")
        if answer is not None:
            repository.answer(f"2.1.330/{PLAIN}{suffix}", answer)
    with pytest.raises(ForgedError, match=r"manifest of 2\.1\.330 says 2\.1\.329"):
        _read(repository, "2.1.330")


@pytest.mark.parametrize(("asked", "served"), [(PLAIN, PACKED), (PACKED, PLAIN)])
def test_the_other_manifest_of_a_release_is_forged(
    repository: "Repository", asked: Name, served: Name
) -> None:
    """Both are signed by one key: digests of packed files are not taken for programs'."""
    repository.publish("2.1.330", FILES)
    for suffix in ("", RAW):
        answer = repository.answers[f"/claude-code-releases/2.1.330/{served}{suffix}"]
        repository.answer(f"2.1.330/{asked}{suffix}", answer)
    with pytest.raises(ForgedError, match="the other manifest"):
        _read(repository, "2.1.330", asked)


_NONE = {
    "a sign-in page": Response("<html>sign in</html>", content_type="text/html"),
    "a sign-in page as text": Response("<html>sign in</html>", content_type="text/plain"),
    "nothing": Response(b""),
    "huge": Response(b" " * 2_000_000),
    "deeply nested": Response(b'{"version":' + b"[" * 60_000),
    "wrong types": Response(json.dumps({"version": 2, "platforms": [1]}).encode()),
    "a number": Response(b"17"),
    "elsewhere": Response(status=302, headers={"Location": "https://elsewhere.example/x"}),
    "a private address": Response(status=307, headers={"Location": "https://10.0.0.1/x"}),
    "the cloud's own": Response(status=302, headers={"Location": "http://169.254.169.254/x"}),
    "busy": Response(status=503, headers={"Retry-After": "7"}),
}


@pytest.mark.parametrize("what", _NONE)
@pytest.mark.parametrize("suffix", ["", RAW])
def test_what_is_no_answer_is_neither_missing_nor_signed(
    repository: "Repository", what: str, suffix: str
) -> None:
    """In place of the manifest or of its signature: it is tried again."""
    repository.publish("2.1.330", FILES)
    repository.answer(f"2.1.330/{PLAIN}{suffix}", lambda _: _NONE[what])
    with pytest.raises(SourceError) as told:
        _read(repository, "2.1.330")
    assert not isinstance(told.value, NotFoundError)
    assert told.value.advice


@pytest.mark.parametrize("suffix", ["", RAW])
def test_a_truncated_answer_is_none(repository: "Repository", suffix: str) -> None:
    """Fewer bytes than announced."""

    def cut(_: Request) -> Response:
        response = Response(iter([b"{"]), direct_passthrough=True)
        response.headers["Content-Length"] = "900"
        return response

    repository.publish("2.1.330", FILES)
    repository.answer(f"2.1.330/{PLAIN}{suffix}", cut)
    with pytest.raises(SourceError, match="broke off"):
        _read(repository, "2.1.330")
