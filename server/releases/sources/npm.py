"""The npm registry: list, publish times and tags of Claude Code, and what vouches for bytes.

The expected digests of every platform are in ``manifest.json`` inside the Agent SDK's
package of the same release (facts 0.2, 2.6), a small download. It counts because the
package has the sha512 that the registry states: trust `registry`. Where the registry signs
that and shows its keys, the signature is verified first. Where an SDK package is missing, a
platform's own package is hashed as it streams by. Up to 2.1.112 npm's own file
was JavaScript, which no manifest tells of: it is hashed out of the package.

The registry document has 750 KB and is dropped as soon as it was read; what is kept for an
unchanged one (RFC 9110 section 13.1.2) is its reading.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec import Struct

from agent.fix import NPM_PACKAGE
from server.errors import SourceError
from server.fetch import Fetcher, Validators
from server.fetch_body import Limits
from server.fetch_errors import NotFoundError
from server.releases import npm_command, npmrc, tarball
from server.releases.ledger import LAST_JS_VERSION, Artifact, Release
from server.releases.manifest import MANIFEST_MAX_BYTES, Manifest, instant, is_release_number, parse
from server.releases.registry_keys import RegistryKeys
from server.releases.registry_signature import Signature
from server.releases.sources.interface import (
    Addresses,
    Keep,
    Memory,
    Package,
    Published,
    Source,
    SourceReading,
)
from server.releases.versions import is_newer

SDK_PACKAGE = "@anthropic-ai/claude-agent-sdk"
"""The package that carries a release's manifest (facts 0.2)."""

PLATFORMS = (
    "darwin-arm64",
    "darwin-x64",
    "linux-arm64",
    "linux-arm64-musl",
    "linux-x64",
    "linux-x64-musl",
    "win32-arm64",
    "win32-x64",
)
"""The platforms that have a package of their own, from 2.1.113 on (facts 1.3)."""

_PACKAGES = tuple(Package(platform, "binary") for platform in PLATFORMS)
_DOCUMENT_LIMITS = Limits(max_bytes=32 << 20, deadline_s=60.0)
_SDK_LIMITS = Limits(max_bytes=64 << 20, deadline_s=120.0)
_PACKAGE_LIMITS = Limits(max_bytes=512 << 20, deadline_s=1_800.0)
_SDK_UNFOLDED_MAX_BYTES = 512 << 20
_PACKAGE_UNFOLDED_MAX_BYTES = 2 << 30

_WHOLE = "application/json"
_SHORT = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8"

_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}\Z")
_TAG = re.compile(r"[A-Za-z][0-9A-Za-z._-]{0,31}\Z")
_SDK_OF: Final = re.compile(r"2\.1\.(0|[1-9][0-9]{0,5})\Z")
_LAST_OF_SDK_0_2: Final = 141


class _Dist(Struct, frozen=True):
    tarball: str
    integrity: str = ""
    signatures: tuple[Signature, ...] | None = None


class _Version(Struct, frozen=True):
    dist: _Dist


class _Document(Struct, frozen=True):
    name: str
    versions: dict[str, _Version]
    tags: dict[str, str] = msgspec.field(name="dist-tags", default_factory=dict)
    time: dict[str, str] = {}


class NpmSource:
    """Reads one npm registry.

    Args:
        fetcher: At the registry's address; None where no registry is known.
        keep: Where the registry's keys stay; without one, in memory.
        find: Asked once more at each reading while none is known: npm may be installed later.
    """

    name = "npm"
    keeps_list = True

    def __init__(
        self,
        fetcher: Fetcher | None,
        keep: Keep | None = None,
        find: Callable[[], Fetcher | None] = lambda: None,
    ) -> None:
        self._keep = keep or Memory()
        self._find = find
        self._known_fetcher: Fetcher | None = None
        self._keys: RegistryKeys | None = None
        self._know(fetcher)
        self._validators: Validators | None = None
        self._reading: SourceReading | None = None

    @property
    def has_place(self) -> bool:
        """Whether a registry is known."""
        return self._known_fetcher is not None

    def read(self) -> SourceReading:
        """The tags, and every version with its publish time.

        Raises:
            SourceError: It gave no usable answer, or no registry is known.
        """
        if not self.has_place:
            self._know(self._find())
        asked = self._validators if self._reading is not None else None
        fetched = self._fetcher.get(
            self._url(NPM_PACKAGE), _DOCUMENT_LIMITS, accept=_WHOLE, validators=asked
        )
        if fetched.body is not None or self._reading is None:
            self._reading = _reading(_decode(fetched.body or b"", NPM_PACKAGE))
            self._validators = fetched.validators
        return self._reading

    def manifest(self, version: str) -> Published | None:
        """What the matching SDK package tells of a version that the last reading lists.

        Raises:
            ForgedError: A signature or digest is wrong.
            SourceError: It cannot tell.
        """
        listed = {release.version: release for release in (self._reading or self.read()).releases}
        release = listed.get(version)
        if release is None:
            return None
        js = () if is_newer(version, LAST_JS_VERSION) else (Package(None, "js"),)
        sdk = sdk_version(version)
        dist = self._dist(SDK_PACKAGE, sdk) if sdk else None
        if sdk is not None and dist is not None:
            warning = self._check(SDK_PACKAGE, sdk, dist, release.published_at)
            manifest = self._sdk_manifest(sdk, dist)
            if manifest and not manifest.is_packed and manifest.release.version == version:
                release = replace(manifest.release, published_at=release.published_at)
                artifacts = manifest.artifacts("registry", self.name)
                return Published(release, artifacts, js, (warning,) if warning else ())
        return Published(release, (), js or (_PACKAGES if is_release_number(version) else ()))

    def hash_package(self, version: str, package: Package) -> Artifact | None:
        """Streams a package and hashes the program in it.

        Raises:
            ForgedError: The bytes are not the published ones.
            SourceError: It cannot tell.
        """
        platform = package.platform
        name = NPM_PACKAGE if platform is None else f"{NPM_PACKAGE}-{platform}"
        dist = self._dist(name, version)
        if dist is None:
            return None
        self._check(name, version, dist, None)
        stems = ("cli.js", "cli.mjs") if platform is None else ("claude", "claude.exe")
        members = {f"package/{stem}" for stem in stems}
        with self._fetcher.stream(self._tarball(name, version, dist), _PACKAGE_LIMITS) as body:
            hashed = tarball.hash_member(
                body, members, dist.integrity, unfolded_max_bytes=_PACKAGE_UNFOLDED_MAX_BYTES
            )
        if hashed is None:
            return None
        return Artifact(
            version, platform, package.form, hashed.sha256, hashed.size, "registry", self.name
        )

    @property
    def _fetcher(self) -> Fetcher:
        if self._known_fetcher is None:
            raise SourceError(
                "no npm registry is known",
                advice="set PARITY_SERVER_NPM_REGISTRY_URL, or install npm",
            )
        return self._known_fetcher

    def _know(self, fetcher: Fetcher | None) -> None:
        self._known_fetcher = fetcher
        self._keys = RegistryKeys(fetcher, self._keep) if fetcher else None

    def _check(self, name: str, version: str, dist: _Dist, at: int | None) -> str | None:
        if self._keys is None:
            return None
        return self._keys.check(f"{name}@{version}:{dist.integrity}", dist.signatures or (), at)

    def _sdk_manifest(self, sdk: str, dist: _Dist) -> Manifest | None:
        """The manifest in the SDK's package, of whatever version; None where there is none."""
        with self._fetcher.stream(self._tarball(SDK_PACKAGE, sdk, dist), _SDK_LIMITS) as body:
            found = tarball.read_member(
                body,
                "package/manifest.json",
                dist.integrity,
                max_bytes=MANIFEST_MAX_BYTES,
                unfolded_max_bytes=_SDK_UNFOLDED_MAX_BYTES,
            )
        return parse(found) if found is not None else None

    def _dist(self, name: str, version: str) -> _Dist | None:
        try:
            fetched = self._fetcher.get(self._url(name), _DOCUMENT_LIMITS, accept=_SHORT)
        except NotFoundError:
            return None
        listed = _decode(fetched.body or b"", name).versions.get(version)
        return listed.dist if listed else None

    def _url(self, name: str) -> str:
        return f"{self._fetcher.base_url}/{quote(name, safe='@')}"

    def _tarball(self, name: str, version: str, dist: _Dist) -> str:
        """Where a package lies: as stated if it is there, else at the registry's usual place.

        Mirrors repeat the address of the registry that they copy; the integrity decides.
        """
        if self._fetcher.owns(dist.tarball):
            return dist.tarball
        return f"{self._fetcher.base_url}/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"


def sdk_version(version: str) -> str | None:
    """The SDK version that carries a release (facts 2.6); None where there is none."""
    match = _SDK_OF.match(version)
    if match is None:
        return None
    return f"0.{2 if int(match[1]) <= _LAST_OF_SDK_0_2 else 3}.{match[1]}"


def open_source(
    addresses: Addresses, environment: Mapping[str, str], home: Path, keep: Keep
) -> Source:
    """The registry of the settings, else of npm's own configuration, else what npm says."""

    def find() -> Fetcher | None:
        url = (
            addresses.npm_registry_url
            or npmrc.registry_url(environment, home)
            or npm_command.registry_url(environment, home)
        )
        if url is None:
            return None
        token = npmrc.authorization(environment, home, url)
        return Fetcher(url, authorization=token, ca_file=addresses.ca_file)

    return NpmSource(find(), keep, find)


def _decode(body: bytes, name: str) -> _Document:
    try:
        document = msgspec.json.decode(body, type=_Document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _unusable(name, "is no registry document") from error
    if document.name != name:
        raise _unusable(name, "is about another package")
    return document


def _reading(document: _Document) -> SourceReading:
    releases = tuple(
        Release(version, published_at=instant(document.time.get(version)))
        for version in document.versions
        if _VERSION.match(version)
    )
    heads = {
        tag: version
        for tag, version in document.tags.items()
        if _TAG.match(tag) and _VERSION.match(version) and version in document.versions
    }
    if not heads:
        raise _unusable(document.name, "has no tag that leads to a version")
    return SourceReading(heads, releases)


def _unusable(name: str, why: str) -> SourceError:
    return SourceError(
        f"what the npm registry answers for {name} {why}",
        advice="check the registry's address, and whether a proxy stands in between",
    )
