"""The npm registry on loopback: the real one behind a switch.

Requests are passed on to the registry that npm is set to use. What it answered is kept on
disk, package files between runs too, so that a release is downloaded once. `Registry.off`
plays an outage; `Registry.tags` moves a channel.
"""

import hashlib
import json
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import platformdirs
import requests

from tests.e2e.served import Served

CACHE = platformdirs.user_cache_path("build-parity") / "tests" / "registry"
"""Package files, kept between runs."""

CHUNK_BYTES = 1 << 20
TIMEOUT_S = 120


def upstream() -> str | None:
    """The registry that npm is set to use; None without npm."""
    if not shutil.which("npm"):
        return None
    asked = subprocess.run(
        ["npm", "config", "get", "registry"], capture_output=True, text=True, timeout=60, check=True
    )
    return asked.stdout.strip().rstrip("/")


class Registry(Served):
    """A registry that can go away; a context manager.

    Attributes:
        real: The registry behind it.
        is_off: Connections are dropped without an answer.
        tags: Channels that point elsewhere than upstream says.
        asked: The paths asked for, oldest first.
    """

    def __init__(self, real: str, cache: Path = CACHE) -> None:
        self.real = real
        self.is_off = False
        self.tags: dict[str, str] = {}
        self.asked: list[str] = []
        self._cache = cache
        self._documents: dict[tuple[str, str], bytes] = {}
        self._lock = threading.Lock()
        super().__init__(self._handler())

    @property
    def url(self) -> str:
        """Its address."""
        return self.origin

    def off(self) -> None:
        """Goes away."""
        self.is_off = True

    def on(self) -> None:
        """Comes back."""
        self.is_off = False

    def head(self, channel: str = "latest") -> str:
        """What a channel of Claude Code points to."""
        document = json.loads(self.document("/@anthropic-ai%2fclaude-code", "application/json"))
        return str(document["dist-tags"][channel])

    def document(self, path: str, accept: str) -> bytes:
        """A package's document as it is served here.

        Raises:
            requests.RequestException: The real registry does not answer.
        """
        with self._lock:
            if (path, accept) not in self._documents:
                answer = requests.get(
                    self.real + path, headers={"Accept": accept}, timeout=TIMEOUT_S
                )
                answer.raise_for_status()
                self._documents[path, accept] = answer.content
        found = json.loads(self._documents[path, accept])
        if path.replace("%2F", "/").replace("%2f", "/") == "/@anthropic-ai/claude-code":
            found["dist-tags"] |= self.tags
        return self._moved_here(found)

    def package(self, path: str) -> Path:
        """A package file, downloaded once.

        Raises:
            requests.RequestException: The real registry does not answer.
        """
        file = self._cache / quote(path, safe="")
        with self._lock:
            if not file.exists():
                self._cache.mkdir(parents=True, exist_ok=True)
                unfinished = file.with_name(file.name + ".unfinished")
                with requests.get(self.real + path, stream=True, timeout=TIMEOUT_S) as answer:
                    answer.raise_for_status()
                    with unfinished.open("wb") as kept:
                        for chunk in answer.iter_content(CHUNK_BYTES):
                            kept.write(chunk)
                unfinished.rename(file)
        return file

    def _moved_here(self, document: dict[str, Any]) -> bytes:
        base = urlsplit(self.real).path
        versions = document.get("versions", {document.get("version"): document})
        for each in versions.values():
            if "tarball" in each.get("dist", {}):
                path = urlsplit(each["dist"]["tarball"]).path.removeprefix(base)
                each["dist"]["tarball"] = self.url + path
        return json.dumps(document).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if registry.is_off:
                    self.close_connection = True
                    return
                registry.asked.append(self.path)
                try:
                    if self.path.endswith(".tgz"):
                        self._send_file(registry.package(self.path))
                    else:
                        accept = self.headers.get("Accept", "application/json")
                        self._send_document(registry.document(self.path, accept))
                except requests.HTTPError as error:
                    self.send_error(error.response.status_code)
                except requests.RequestException:
                    self.send_error(502)

            def _send_document(self, body: bytes) -> None:
                tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
                if self.headers.get("If-None-Match") == tag:
                    self.send_response(304)
                    self.send_header("ETag", tag)
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("ETag", tag)
                self.end_headers()
                self.wfile.write(body)

            def _send_file(self, file: Path) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/octet-stream")
                self.send_header("Content-Length", str(file.stat().st_size))
                self.end_headers()
                with file.open("rb") as body:
                    shutil.copyfileobj(body, self.wfile, CHUNK_BYTES)

            def log_message(self, *_: object) -> None:
                """Says nothing: `asked` tells."""

        return Handler
