"""A signed release bucket over real HTTPS, with keys of its own, that plays a history.

Its releases are as the real ones are: two manifests, raw signatures from 2.1.207 on, a GPG
signature of the first manifest from 2.1.89 on, macOS applications as ``.tar.zst``. A server
that pins the real keys finds its signatures forged: for one, publish with ``signed=False``.
"""

import base64
import functools
import hashlib
import io
import json
import re
import ssl
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pysequoia
import trustme
import zstandard
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from server.fetch import Fetcher
from server.releases.signature import FIRST_GPG, FIRST_RAW, Pins
from server.releases.sources.bucket import BucketSource
from server.releases.sources.interface import Keep
from server.releases.versions import is_newer

BUCKET = "claude-code-releases"
PROGRAM = "claude.app/Contents/MacOS/claude"

Answer = Callable[[Request], Response]


@dataclass(frozen=True)
class Signer:
    """One pair of release keys."""

    rsa: rsa.RSAPrivateKey
    gpg: pysequoia.Tsk

    @property
    def rsa_file(self) -> bytes:
        """``claude-code.rsa.pub``."""
        return self.rsa.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def gpg_file(self) -> bytes:
        """``claude-code.asc``."""
        return str(self.gpg.extract_certificate()).encode()

    @property
    def pins(self) -> Pins:
        """What a server that trusts these keys pins."""
        der = self.rsa.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return Pins(hashlib.sha256(der).hexdigest(), self.gpg.extract_certificate().fingerprint)

    def raw(self, manifest: bytes) -> bytes:
        """The sidecar of a manifest."""
        message = b"claude-code-manifest-v1\0" + manifest
        value = self.rsa.sign(message, padding.PKCS1v15(), hashes.SHA512())
        told = {
            "schema": 1,
            "algorithm": "RSASSA-PKCS1-v1_5-SHA512",
            "signature": base64.b64encode(value).decode(),
            "publicKeySha256": self.pins.rsa_sha256,
        }
        return json.dumps(told).encode()

    def detached(self, manifest: bytes) -> bytes:
        """The GPG signature of a manifest."""
        mode = pysequoia.SignatureMode.DETACHED
        return pysequoia.sign(self.gpg.signer(), manifest, mode=mode)


@functools.cache
def signer(name: str = "release") -> Signer:
    """The keys of this name; the same ones throughout a run."""
    gpg = pysequoia.Tsk.generate(user_id=f"{name} <{name}@example.com>")
    return Signer(rsa.generate_private_key(public_exponent=65_537, key_size=2_048), gpg)


def application(program: bytes, name: str = PROGRAM) -> bytes:
    """A macOS application with this program, packed as releases have it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for member, body in (("claude.app/Contents/Info.plist", b"<plist/>"), (name, program)):
            info = tarfile.TarInfo(member)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return zstandard.compress(packed.getvalue())


def applied(program: bytes) -> bytes:
    """The program within the application of a release: not the plain one's bytes."""
    return program + b" in its application"


class Repository:
    """A release bucket over HTTPS.

    Args:
        folder: Where the certificate of its authority is put.

    Attributes:
        ca_file: That certificate.
        url: The bucket.
        asked: The paths that were asked for within the host, in order.
        answers: By path, what is answered; a test may put its own.
    """

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.ca_file = folder / "authority.pem"
        authority.cert_pem.write_to_path(self.ca_file)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        self._server = HTTPServer(host="127.0.0.1", port=0, ssl_context=context)
        self._server.expect_request(re.compile("/.*")).respond_with_handler(self._answer)
        self._down: Answer | None = None
        self.asked: list[str] = []
        self.answers: dict[str, Answer] = {}
        self.show_keys(signer())

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        """The bucket's address."""
        return self._server.url_for(f"/{BUCKET}")

    def clear(self) -> None:
        """Begins another history: nothing is published, and the repository's keys are shown."""
        self._down = None
        self.asked = []
        self.answers = {}
        self.show_keys(signer())

    def fetcher(self) -> Fetcher:
        """What reads this bucket."""
        return Fetcher(self.url, ca_file=self.ca_file)

    def source(self, keep: Keep | None = None, pins: Pins | None = None) -> BucketSource:
        """The bucket as a source, whose pins are the repository's own keys."""
        return BucketSource(self.fetcher(), keep, pins or signer().pins)

    def publish(
        self,
        version: str,
        files: Mapping[str, bytes],
        *,
        signed: bool | Signer = True,
        told: Mapping[str, Any] | None = None,
    ) -> None:
        """Puts a release there; those for macOS get an application, with `applied` programs.

        Args:
            version: Its number.
            files: By platform, the program.
            signed: By the repository's keys, by nobody, or by other keys.
            told: Further fields of its manifests.
        """
        plain: dict[str, dict[str, Any]] = {}
        packed: dict[str, dict[str, Any]] = {}
        for platform, program in files.items():
            plain[platform] = {"binary": "claude", **_stated(program)}
            packed[platform] = {"binary": "claude.zst", **_stated(zstandard.compress(program))}
            if platform.startswith("darwin-"):
                archive = application(applied(program))
                packed[platform]["bundle"] = _stated(archive)
                self.put(f"{version}/{platform}/claude.app.tar.zst", archive)
        by = signer() if signed is True else signed or None
        fields = {"version": version, "buildDate": "2026-11-20T17:55:16Z", **(told or {})}
        self.put_manifest(version, "manifest.json", {**fields, "platforms": plain}, by)
        self.put_manifest(version, "manifest.zst.json", {**fields, "platforms": packed}, by)

    def put_manifest(
        self, version: str, name: str, document: Mapping[str, Any], by: Signer | None
    ) -> None:
        """Puts a manifest there with the signatures that are due."""
        body = json.dumps(document, indent=2).encode()
        place = f"{version}/{name}"
        self.put(place, body, "application/json")
        for suffix in (".raw-sig.json", ".sig"):
            self.remove(place + suffix)
        if by is None:
            return
        if not is_newer(FIRST_RAW, version):
            self.put(f"{place}.raw-sig.json", by.raw(body), "application/json")
        if name == "manifest.json" and not is_newer(FIRST_GPG, version):
            self.put(f"{place}.sig", by.detached(body))

    def point(self, channel: str, version: str) -> None:
        """Moves a pointer; an unchanged one is answered with 304 to who knows it."""
        tag = f'"{version}"'

        def answer(request: Request) -> Response:
            if request.headers.get("If-None-Match") == tag:
                return Response(status=304, headers={"ETag": tag})
            return Response(f"{version}\n", content_type="text/plain", headers={"ETag": tag})

        self.answers[f"/{BUCKET}/{channel}"] = answer

    def withdraw(self, version: str) -> None:
        """Takes a release away."""
        place = f"/{BUCKET}/{version}/"
        self.answers = {
            path: answer for path, answer in self.answers.items() if not path.startswith(place)
        }

    def show_keys(self, by: Signer | None) -> None:
        """Shows these public keys, or none."""
        for name in ("claude-code.rsa.pub", "claude-code.asc"):
            self.answers.pop(f"/keys/{name}", None)
        if by is not None:
            self.put("/keys/claude-code.rsa.pub", by.rsa_file, "text/plain")
            self.put("/keys/claude-code.asc", by.gpg_file, "text/plain")

    def put(self, path: str, body: bytes, content_type: str = "application/octet-stream") -> None:
        """Serves a body; a path that does not begin with a slash is within the bucket."""
        self.answers[_whole(path)] = lambda _: Response(body, content_type=content_type)

    def answer(self, path: str, answer: Answer) -> None:
        """Serves whatever a function answers."""
        self.answers[_whole(path)] = answer

    def remove(self, path: str) -> None:
        """Serves nothing there."""
        self.answers.pop(_whole(path), None)

    def off(self, answer: Answer | None = None) -> None:
        """Answers 503 to everything, or what is given."""
        self._down = answer or (lambda _: Response(status=503))

    def on(self) -> None:
        """Answers again."""
        self._down = None

    def count(self, path: str) -> int:
        """How often something was asked for."""
        return self.asked.count(_whole(path))

    def _answer(self, request: Request) -> Response:
        self.asked.append(request.path)
        answer = self._down or self.answers.get(request.path)
        return answer(request) if answer else Response("no such object", 404)


def _stated(body: bytes) -> dict[str, Any]:
    return {"checksum": hashlib.sha256(body).hexdigest(), "size": len(body)}


def _whole(path: str) -> str:
    return path if path.startswith("/") else f"/{BUCKET}/{path}"
