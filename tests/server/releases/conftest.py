"""A registry and a bucket on loopback, made of recorded answers and packages built here."""

import base64
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from server.store.engine import migrate, open_engine
from server.store.writer import Writer
from tests.server.releases.repository import Repository

GOLDEN = Path(__file__).parents[2] / "golden"
CLI = "@anthropic-ai/claude-code"
SDK = "@anthropic-ai/claude-agent-sdk"

Answer = Callable[[Request], Response]


def pack(members: Mapping[str, bytes]) -> bytes:
    """An npm package of these files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, body in members.items():
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return packed.getvalue()


def integrity(body: bytes) -> str:
    """What a registry states of these bytes."""
    return "sha512-" + base64.b64encode(hashlib.sha512(body).digest()).decode()


class Site:
    """One web server whose answers a test may replace by its own."""

    def __init__(self, server: HTTPServer, folder: str) -> None:
        self.url = server.url_for(f"/{folder}")
        self.answers: dict[str, Answer] = {}
        self.asked: list[Request] = []
        self._prefix = f"/{folder}/"
        self.down: Answer | None = None
        server.expect_request(re.compile(f"/{folder}/.*")).respond_with_handler(self._answer)

    def put(self, path: str, body: bytes, content_type: str = "application/json") -> None:
        """Serves a body."""
        self.answers[path] = lambda _: Response(body, content_type=content_type)

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [self._path(request) for request in self.asked]

    def _path(self, request: Request) -> str:
        return unquote(request.path).removeprefix(self._prefix)

    def _answer(self, request: Request) -> Response:
        self.asked.append(request)
        if self.down is not None:
            return self.down(request)
        answer = self.answers.get(self._path(request))
        return answer(request) if answer else Response("{}", 404, content_type="application/json")


class Registry(Site):
    """An npm registry with the trimmed real document, and packages that a test adds."""

    def __init__(self, server: HTTPServer) -> None:
        super().__init__(server, "npm")
        text = (GOLDEN / "registry" / "claude-code.json").read_text()
        self.documents: dict[str, dict[str, Any]] = {CLI: json.loads(text)}
        self.publish(CLI)

    def publish(self, name: str) -> None:
        """Serves a package's document as it stands."""
        text = json.dumps(self.documents[name]).replace("REGISTRY", self.url)
        self.put(name, text.encode())

    def add(self, name: str, version: str, members: Mapping[str, bytes]) -> str:
        """Publishes a package; returns the path of its tarball."""
        body = pack(members)
        path = f"{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
        empty: dict[str, Any] = {"name": name, "versions": {}, "dist-tags": {}, "time": {}}
        document = self.documents.setdefault(name, empty)
        dist = {"integrity": integrity(body), "tarball": f"REGISTRY/{path}"}
        document["versions"][version] = {"name": name, "version": version, "dist": dist}
        self.put(path, body, "application/octet-stream")
        self.publish(name)
        return path

    def add_sdk(self, sdk: str, version: str) -> str:
        """Publishes an SDK package with the real manifest of a release."""
        return self.add(SDK, sdk, {"sdk.mjs": b"//", "manifest.json": manifest(version)})

    def tag(self, tag: str, version: str) -> None:
        """Moves a dist-tag."""
        self.documents[CLI]["dist-tags"][tag] = version
        self.publish(CLI)


class Bucket(Site):
    """A release bucket with pointers and real manifests."""

    def __init__(self, server: HTTPServer) -> None:
        super().__init__(server, "bucket")
        self.put("latest", b"2.1.330\n", "text/plain")
        self.put("stable", b"2.1.240", "text/plain")
        for version in ("2.1.240", "2.1.330"):
            self.put(f"{version}/manifest.json", manifest(version))


def manifest(version: str) -> bytes:
    """A real manifest."""
    return (GOLDEN / "manifests" / f"{version}.json").read_bytes()


@pytest.fixture
def registry(httpserver: HTTPServer) -> Registry:
    """The npm registry; nothing but the recorded document yet."""
    return Registry(httpserver)


@pytest.fixture
def bucket(httpserver: HTTPServer) -> Bucket:
    """The release bucket."""
    return Bucket(httpserver)


@pytest.fixture(scope="session")
def served_repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """One server and its certificate for all tests: starting and stopping it takes a while."""
    with Repository(tmp_path_factory.mktemp("authority")) as repository:
        yield repository


@pytest.fixture
def repository(served_repository: Repository) -> Repository:
    """A signed release bucket over HTTPS; nothing is published yet."""
    served_repository.clear()
    return served_repository


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    """The one writer of a new database."""
    url = f"sqlite:///{tmp_path / 'server.db'}"
    migrate(url)
    engine = open_engine(url)
    writer = Writer(engine)
    yield writer
    writer.close()
    engine.dispose()
