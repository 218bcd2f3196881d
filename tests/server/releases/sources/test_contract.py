"""What every release source keeps to, over the list that the server itself walks."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from werkzeug import Request, Response

from server.errors import SourceError
from server.releases.sources import lack, names, open_sources
from server.releases.sources.interface import Memory, Source

if TYPE_CHECKING:
    from tests.server.releases.conftest import Bucket, Registry, Site


@dataclass(frozen=True)
class _Settings:
    npm_registry_url: str | None = None
    bucket_url: str | None = None
    ca_file: Path | None = None


@dataclass(frozen=True)
class _Served:
    source: Source
    site: "Site"


@pytest.fixture(params=names())
def served(
    request: pytest.FixtureRequest, registry: "Registry", bucket: "Bucket", tmp_path: Path
) -> _Served:
    """Each source in turn, with a site that knows 2.1.240 and 2.1.330."""
    registry.add_sdk("0.3.330", "2.1.330")
    registry.add_sdk("0.3.240", "2.1.240")
    opened = open_sources(_Settings(registry.url, bucket.url), {}, tmp_path, Memory())
    sites: dict[str, Site] = {"npm": registry, "bucket": bucket}
    source = next(source for source in opened if source.name == request.param)
    return _Served(source, sites[source.name])


def test_sources_are_opened_by_the_settings(tmp_path: Path) -> None:
    """A list is read first; the bucket can be switched off; npm says later what it lacks."""
    both = open_sources(_Settings("https://r.example", "https://b.example"), {}, tmp_path, Memory())
    assert [source.name for source in both] == ["npm", "bucket"]
    assert [
        source.name for source in open_sources(_Settings(None, ""), {}, tmp_path, Memory())
    ] == ["npm"]


def test_a_place_that_is_not_known_is_told(tmp_path: Path) -> None:
    """Alone it leaves nothing to compare with; beside the bucket, no second word."""

    def told(npm: str | None, bucket: str, path: Path = tmp_path) -> str | None:
        environment = {"PATH": str(path)}
        return lack(open_sources(_Settings(npm, bucket), environment, tmp_path, Memory()))

    mend = "set PARITY_SERVER_NPM_REGISTRY_URL or install npm"
    assert told("https://r.example", "") is None
    assert told("https://r.example", "https://b.example") is None
    assert told(None, "") == (
        "no source of public releases is known, so every laptop will be at best unknown; " + mend
    )
    assert told(None, "https://b.example") == (
        "of the sources of public releases only bucket is known: while it does not answer, every"
        " laptop will be at best unknown; " + mend
    )
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/npm").write_text("#!/bin/sh\necho https://default.example/\n")
    (tmp_path / "bin/npm").chmod(0o755)
    assert told(None, "", tmp_path / "bin") is None


def test_its_name_is_its_modules(served: _Served) -> None:
    """So that what the ledger keeps leads back to the code."""
    assert type(served.source).__module__ == f"server.releases.sources.{served.source.name}"


def test_it_tells_the_head_and_its_digests(served: _Served) -> None:
    """The same of both, except who vouches."""
    head = served.source.read().heads["latest"]
    told = served.source.manifest(head)
    assert told is not None
    assert told.release.version == head == "2.1.330"
    digests = {item.platform: item.sha256 for item in told.artifacts}
    assert len(digests) == 8
    assert digests["win32-x64"].startswith("fa797c1b")
    assert {item.source for item in told.artifacts} == {served.source.name}


def test_it_says_when_there_is_no_such_version(served: _Served) -> None:
    """None, and not an error: this is evidence."""
    served.source.read()
    assert served.source.manifest("2.1.320") is None


_BROKEN: dict[str, Callable[[Request], Response]] = {
    "a web page": lambda _: Response("<html>sign in</html>", content_type="text/html"),
    "500": lambda _: Response(status=500),
    "429": lambda _: Response(status=429, headers={"Retry-After": "30"}),
    "a redirect": lambda _: Response(status=302, headers={"Location": "http://127.0.0.1:1/"}),
    "a redirect to a private address": lambda _: Response(
        status=307, headers={"Location": "https://10.0.0.1/latest"}
    ),
    "a web page as text": lambda _: Response("<html>sign in</html>", content_type="text/plain"),
    "deep nesting": lambda _: Response(b'{"a":' * 100_000, content_type="application/json"),
    "wrong types": lambda _: Response(
        b'{"name": 1, "version": [], "versions": 2, "platforms": "x", "dist-tags": []}',
        content_type="application/json",
    ),
    "nothing": lambda _: Response(b""),
    "garbage": lambda _: Response(bytes(range(256)), content_type="application/json"),
    "too much": lambda _: Response(
        iter(lambda: b" " * 1_000_000, b""), content_type="application/json"
    ),
}


@pytest.mark.parametrize("broken", _BROKEN)
def test_a_broken_site_is_never_evidence(served: _Served, broken: str) -> None:
    """Whatever is wrong, it raises the one error, with advice, and says nothing is missing."""
    served.source.read()
    served.site.down = _BROKEN[broken]
    with pytest.raises(SourceError) as told:
        served.source.read()
    assert told.value.advice
    with pytest.raises(SourceError):
        served.source.manifest("2.1.330")


def test_it_recovers_by_itself(served: _Served) -> None:
    """An outage leaves nothing behind."""
    before = served.source.read()
    served.site.down = _BROKEN["500"]
    with pytest.raises(SourceError):
        served.source.read()
    served.site.down = None
    assert served.source.read() == before


def test_it_downloads_no_package_for_a_manifest(served: _Served) -> None:
    """Digests of large programs come from a small file."""
    served.source.read()
    served.source.manifest("2.1.330")
    assert not [path for path in served.site.paths() if "claude-code-" in path]
