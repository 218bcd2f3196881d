"""A made-up npm registry with the fleet's releases, one of which comes out in the run.

It has what the server reads: the list of versions with its tags, and for each release the Agent
SDK's package with its manifest. What the manifests tell is what the fleet's laptops run.
"""

import base64
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote

from agent.fix import NPM_PACKAGE
from agent.wire import Build
from server.releases.sources.npm import SDK_PACKAGE, sdk_version
from tests.benchmarks.fleets import HEAD, NEXT
from tests.e2e.served import Served

_PATH = "/-/"


class Releases(Served):
    """Serves `HEAD`, and `NEXT` once it is out; a context manager.

    Args:
        published_at: When `HEAD` came out, epoch seconds.
    """

    def __init__(self, published_at: int) -> None:
        self._published = {str(HEAD.version): published_at}
        self._packages = {sdk_of(each): _package(each) for each in (HEAD, NEXT)}
        super().__init__(self._handler())

    def release(self, now: int) -> None:
        """Publishes `NEXT`: from now on it is the head."""
        self._published[str(NEXT.version)] = now

    def body(self, path: str) -> bytes | None:
        """What is served at a path; None where there is nothing."""
        if path == f"/{NPM_PACKAGE}":
            return json.dumps(self._claude_code()).encode()
        if path == f"/{SDK_PACKAGE}":
            return json.dumps(self._sdk()).encode()
        return self._packages.get(path.removeprefix(_PATH).removesuffix(".tgz"))

    def _claude_code(self) -> Mapping[str, Any]:
        dist = {"tarball": f"{self.origin}{_PATH}none.tgz"}
        times = {
            version: datetime.fromtimestamp(at, UTC).isoformat()
            for version, at in self._published.items()
        }
        return {
            "name": NPM_PACKAGE,
            "dist-tags": {"latest": max(self._published)},
            "versions": {version: {"dist": dist} for version in self._published},
            "time": times,
        }

    def _sdk(self) -> Mapping[str, Any]:
        versions = {
            version: {
                "dist": {
                    "tarball": f"{self.origin}{_PATH}{version}.tgz",
                    "integrity": _integrity(package),
                }
            }
            for version, package in self._packages.items()
        }
        return {"name": SDK_PACKAGE, "versions": versions}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        releases = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = releases.body(unquote(self.path))
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        return Handler


def sdk_of(build: Build) -> str:
    """The version of the Agent SDK that tells of a build."""
    version = sdk_version(str(build.version))
    assert version is not None, build
    return version


def _package(build: Build) -> bytes:
    file = {"checksum": build.sha256, "size": build.size, "binary": "claude"}
    manifest = json.dumps({"version": build.version, "platforms": {build.platform: file}}).encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        info = tarfile.TarInfo("package/manifest.json")
        info.size = len(manifest)
        tar.addfile(info, io.BytesIO(manifest))
    return packed.getvalue()


def _integrity(package: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(package).digest()).decode()
