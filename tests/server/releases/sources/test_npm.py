"""The npm registry: the recorded document, and every answer that is none."""

import base64
import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from werkzeug import Response

from server.errors import SourceError
from server.fetch import Fetcher
from server.releases.ledger import Artifact, Ledger, Reading
from server.releases.sources.interface import ForgedError, Package
from server.releases.sources.npm import PLATFORMS, NpmSource, sdk_version

if TYPE_CHECKING:
    from tests.server.releases.conftest import Registry

CLI = "@anthropic-ai/claude-code"
SDK = "@anthropic-ai/claude-agent-sdk"
HEAD_LINUX_X64 = "f390eaa0814e6a1bff74cbb47acb74cb9c89d30ced809fe0af5af00c7bfe8ebb"


def _source(registry: "Registry", authorization: str | None = None) -> NpmSource:
    return NpmSource(Fetcher(registry.url, authorization=authorization))


def test_the_document_gives_heads_and_every_version(registry: "Registry") -> None:
    """Tags as channels, versions with their publish times."""
    reading = _source(registry).read()
    times = {release.version: release.published_at for release in reading.releases}
    assert reading.heads == {"latest": "2.1.330"}
    assert len(times) == 10
    assert times["2.1.240"] == 1_787_412_819


def test_tags_that_lead_nowhere_are_left_out(registry: "Registry") -> None:
    """A tag counts if its version is listed."""
    registry.tag("stable", "2.1.240")
    registry.tag("next", "9.9.9")
    registry.tag("a b", "2.1.240")
    assert _source(registry).read().heads == {"latest": "2.1.330", "stable": "2.1.240"}


def test_an_unchanged_document_is_asked_for_with_its_tag(registry: "Registry") -> None:
    """The second reading costs a 304 and says the same."""
    body = json.dumps(registry.documents[CLI]).encode()
    registry.answers[CLI] = lambda request: (
        Response(status=304)
        if request.headers.get("If-None-Match") == '"v1"'
        else Response(body, content_type="application/json", headers={"ETag": '"v1"'})
    )
    source = _source(registry)
    assert source.read() == source.read()
    assert registry.asked[1].headers["If-None-Match"] == '"v1"'


def test_the_sdk_package_vouches_for_every_platform(registry: "Registry") -> None:
    """The manifest's digests, by the integrity that the registry states."""
    registry.add_sdk("0.3.330", "2.1.330")
    told = _source(registry).manifest("2.1.330")
    assert told is not None
    by_platform = {artifact.platform: artifact for artifact in told.artifacts}
    assert set(by_platform) == set(PLATFORMS)
    assert by_platform["linux-x64"] == Artifact(
        "2.1.330", "linux-x64", "binary", HEAD_LINUX_X64, 381_121_040, "registry", "npm"
    )
    assert told.release.commit == "8c664bec500172ded713624f9ecac0eb7e714829"
    assert (told.release.harness_schema, len(told.release.tested_wrappers)) == (1, 30)
    assert told.release.published_at is not None
    assert told.packages == ()


def test_a_version_that_is_not_listed_is_told_so_without_a_question(registry: "Registry") -> None:
    """The list decides: no address is made of a number that a laptop sent."""
    source = _source(registry)
    source.read()
    for version in ("2.1.320", "2.1.330-dev", "../2.1.330", ""):
        assert source.manifest(version) is None
    assert registry.paths() == [CLI]


@pytest.mark.parametrize("manifest_of", [None, "2.1.240"])
def test_without_a_right_manifest_the_platforms_have_packages(
    registry: "Registry", manifest_of: str | None
) -> None:
    """No SDK package (as for 2.1.166), or one that carries another release."""
    if manifest_of:
        registry.add_sdk("0.3.330", manifest_of)
    told = _source(registry).manifest("2.1.330")
    assert told is not None
    assert (told.artifacts, told.packages) == (
        (),
        tuple(Package(platform, "binary") for platform in PLATFORMS),
    )


def test_the_last_javascript_version_has_both_kinds_of_bytes(registry: "Registry") -> None:
    """2.1.112 was JavaScript on npm and native elsewhere (facts 0.3)."""
    registry.add_sdk("0.2.112", "2.1.112")
    registry.add(CLI, "2.1.112", {"cli.js": b"// js", "package.json": b"{}"})
    source = _source(registry)
    told = source.manifest("2.1.112")
    assert told is not None
    assert (len(told.artifacts), told.packages) == (8, (Package(None, "js"),))
    sha256 = hashlib.sha256(b"// js").hexdigest()
    expected = Artifact("2.1.112", None, "js", sha256, 5, "registry", "npm")
    assert source.hash_package("2.1.112", Package(None, "js")) == expected


@pytest.mark.parametrize("program", ["claude", "claude.exe"])
def test_a_platform_package_is_hashed(registry: "Registry", program: str) -> None:
    """Where nothing else tells, the program itself does."""
    registry.add(f"{CLI}-win32-x64", "2.1.166", {"LICENSE.md": b"", program: b"\x7fELF"})
    found = _source(registry).hash_package("2.1.166", Package("win32-x64", "binary"))
    sha256 = hashlib.sha256(b"\x7fELF").hexdigest()
    assert found == Artifact("2.1.166", "win32-x64", "binary", sha256, 4, "registry", "npm")


def test_a_package_that_is_not_there_has_no_digest(registry: "Registry") -> None:
    """No package, no such version of it, no program in it."""
    registry.add(f"{CLI}-linux-x64", "2.1.166", {"README.md": b""})
    source = _source(registry)
    assert source.hash_package("2.1.166", Package("darwin-x64", "binary")) is None
    assert source.hash_package("2.1.165", Package("linux-x64", "binary")) is None
    assert source.hash_package("2.1.166", Package("linux-x64", "binary")) is None


def test_bytes_other_than_the_stated_ones_are_not_believed(registry: "Registry") -> None:
    """Neither a manifest nor a program out of a package with another sha512."""
    for name, version in ((SDK, "0.3.330"), (f"{CLI}-linux-x64", "2.1.330")):
        members = {"manifest.json": b"{}", "claude": b"x"}
        path = registry.add(name, version, members)
        other = registry.add(name, "0.0.0", {**members, "z": b"z"})
        registry.answers[path] = registry.answers[other]
    source = _source(registry)
    with pytest.raises(ForgedError, match="other bytes"):
        source.manifest("2.1.330")
    with pytest.raises(ForgedError, match="other bytes"):
        source.hash_package("2.1.330", Package("linux-x64", "binary"))


@pytest.fixture
def signs(registry: "Registry") -> Callable[[str, str, str], None]:
    """Has the registry sign what it states of a package; or something else, as a third word."""
    private = ec.generate_private_key(ec.SECP256R1())
    der = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = {"keyid": "k", "scheme": "ecdsa-sha2-nistp256", "key": base64.b64encode(der).decode()}
    registry.put("-/npm/v1/keys", json.dumps({"keys": [key]}).encode())

    def sign(name: str, version: str, signed_name: str) -> None:
        dist = registry.documents[name]["versions"][version]["dist"]
        subject = f"{signed_name}@{version}:{dist['integrity']}".encode()
        value = private.sign(subject, ec.ECDSA(hashes.SHA256()))
        dist["signatures"] = [{"keyid": "k", "sig": base64.b64encode(value).decode()}]
        registry.publish(name)

    return sign


def test_what_a_registry_signs_is_verified(
    registry: "Registry", signs: Callable[[str, str, str], None]
) -> None:
    """It is no more than the registry's word, and not less."""
    registry.add_sdk("0.3.330", "2.1.330")
    signs(SDK, "0.3.330", SDK)
    told = _source(registry).manifest("2.1.330")
    assert told is not None
    assert ({item.trust for item in told.artifacts}, told.warnings) == ({"registry"}, ())
    assert registry.paths().count("-/npm/v1/keys") == 1


def test_what_a_registry_did_not_sign_is_forged(
    registry: "Registry", signs: Callable[[str, str, str], None]
) -> None:
    """Before anything of the package is asked for."""
    registry.add_sdk("0.3.330", "2.1.330")
    registry.add(f"{CLI}-linux-x64", "2.1.330", {"claude": b"x"})
    signs(SDK, "0.3.330", "@x/other")
    signs(f"{CLI}-linux-x64", "2.1.330", "@x/other")
    source = _source(registry)
    with pytest.raises(ForgedError, match="not what it signed"):
        source.manifest("2.1.330")
    with pytest.raises(ForgedError, match="not what it signed"):
        source.hash_package("2.1.330", Package("linux-x64", "binary"))
    assert not [path for path in registry.paths() if path.endswith(".tgz")]


def test_a_signature_that_cannot_be_checked_is_a_warning(
    registry: "Registry", signs: Callable[[str, str, str], None]
) -> None:
    """The digests are told all the same."""
    registry.add_sdk("0.3.330", "2.1.330")
    signs(SDK, "0.3.330", SDK)
    registry.put("-/npm/v1/keys", b'{"keys": []}')
    told = _source(registry).manifest("2.1.330")
    assert told is not None
    assert len(told.artifacts) == 8
    assert len(told.warnings) == 1


def test_a_truncated_package_is_not_believed(registry: "Registry") -> None:
    """What broke off has another digest."""
    path = registry.add_sdk("0.3.330", "2.1.330")
    registry.add_sdk("0.3.331", "2.1.330")
    whole = registry.answers[path](None)  # type: ignore[arg-type]
    registry.put(path, whole.get_data()[:-20], "application/octet-stream")
    with pytest.raises(SourceError):
        _source(registry).manifest("2.1.330")


def test_a_mirror_that_repeats_its_original_is_asked_itself(registry: "Registry") -> None:
    """An address elsewhere is not asked; the usual place at the registry is."""
    path = registry.add_sdk("0.3.330", "2.1.330")
    dist = registry.documents[SDK]["versions"]["0.3.330"]["dist"]
    dist["tarball"] = "https://original.example/claude-agent-sdk-0.3.330.tgz"
    registry.publish(SDK)
    assert _source(registry).manifest("2.1.330") is not None
    assert registry.paths()[-1] == path


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"<html>",
        b"\xff\xfe",
        b'{"name": "@anthropic-ai/claude-code"}',
        b'{"name": "other", "versions": {}, "dist-tags": {}}',
        b'{"name": "@anthropic-ai/claude-code", "versions": {}, "dist-tags": {"latest": "1.0.0"}}',
        b'{"name": "@anthropic-ai/claude-code", "versions": [], "dist-tags": {}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_document_is_no_reading(registry: "Registry", body: bytes) -> None:
    """Nothing is kept of it, and the last good reading is not repeated as a new one."""
    registry.put(CLI, body)
    with pytest.raises(SourceError):
        _source(registry).read()


@pytest.mark.parametrize("status", [404, 429, 500])
def test_a_registry_that_fails_gives_no_reading(registry: "Registry", status: int) -> None:
    """Also one that does not know the package at all: then it is the wrong one."""
    registry.down = lambda _: Response(status=status, headers={"Retry-After": "9"})
    with pytest.raises(SourceError) as told:
        _source(registry).read()
    assert told.value.advice


def test_without_a_registry_it_says_what_to_set() -> None:
    """The server starts without npm; the source says so."""
    with pytest.raises(SourceError, match="no npm registry is known") as told:
        NpmSource(None).read()
    assert "PARITY_SERVER_NPM_REGISTRY_URL" in told.value.advice


def test_a_registry_that_becomes_known_is_read(registry: "Registry") -> None:
    """Whoever installs npm need not start the server anew."""
    found: list[Fetcher] = []
    source = NpmSource(None, None, lambda: found[0] if found else None)
    with pytest.raises(SourceError, match="no npm registry is known"):
        source.read()
    assert not source.has_place
    found.append(Fetcher(registry.url))
    assert source.read().heads == {"latest": "2.1.330"}
    assert source.has_place


def test_the_token_goes_with_every_question(registry: "Registry") -> None:
    """Documents and packages of a private registry need it alike."""
    registry.add_sdk("0.3.330", "2.1.330")
    _source(registry, "Bearer t").manifest("2.1.330")
    assert {request.headers.get("Authorization") for request in registry.asked} == {"Bearer t"}


@pytest.mark.parametrize(
    ("version", "sdk"),
    [
        ("2.1.1", "0.2.1"),
        ("2.1.141", "0.2.141"),
        ("2.1.142", "0.3.142"),
        ("2.1.330", "0.3.330"),
        ("2.0.77", None),
        ("2.2.0", None),
        ("2.1.007", None),
        ("2.1.330-x", None),
    ],
)
def test_the_sdk_number_follows_the_release(version: str, sdk: str | None) -> None:
    """Facts 2.6: 0.2.N up to 141, 0.3.N from 142 on."""
    assert sdk_version(version) == sdk


@pytest.fixture(scope="module")
def real() -> NpmSource:
    """The registry that this machine's npm is set to."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: it knows the registry")
    asked = [npm, "config", "get", "registry"]
    url = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60).stdout
    return NpmSource(Fetcher(url.strip()))


@pytest.mark.real
@pytest.mark.parametrize(
    ("version", "linux_x64"),
    [
        ("2.1.330", HEAD_LINUX_X64),
        ("2.1.240", "1386169da77de19a655f07a86ab80f5775983a50eb0c9c27a7daf16e7320322d"),
        ("2.1.112", "57be9406d3e5cae259552790bf7288dd6496675430ec93dbed76a33a57580d3d"),
    ],
)
def test_the_real_registry_tells_the_real_digests(
    real: NpmSource, version: str, linux_x64: str
) -> None:
    """As measured from the program files themselves (facts 7)."""
    told = real.manifest(version)
    assert told is not None
    digests = {artifact.platform: artifact.sha256 for artifact in told.artifacts}
    assert (len(digests), digests["linux-x64"]) == (8, linux_x64)


@pytest.mark.real
def test_the_real_javascript_is_hashed_out_of_its_package(real: NpmSource) -> None:
    """``cli.js`` of 2.1.112 as in an npm install (facts 7.1)."""
    found = real.hash_package("2.1.112", Package(None, "js"))
    assert found is not None
    assert (found.size, found.sha256) == (
        13_711_684,
        "bc3358282800e3e99daa8e71ac5b7b1566bd0d7ca7eb94f714a7859365d3163f",
    )


@pytest.mark.real
def test_the_real_times_date_a_replacement(real: NpmSource) -> None:
    """2.1.241 was published on 2026-08-23; the stamps of old versions are brought in order."""
    reading = real.read()
    now = 1_795_320_000
    head = Reading("npm", "latest", reading.heads["latest"], now, now)
    ledger = Ledger([head], reading.releases)
    replaced = [ledger.replaced(version, head) for version in ("2.1.240", "2.0.77", "1.0.0")]
    assert all(item is not None and item.estimated for item in replaced)
    days = [item.at // 86_400 if item else None for item in replaced]
    assert days == [20_688, 20_461, 20_241]  # 2026-08-23, 2026-01-08, 2025-06-02
