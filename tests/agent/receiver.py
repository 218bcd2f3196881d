"""An HTTP receiver that keeps the protocol, in the server's place."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from werkzeug import Request, Response

Answer = Callable[[Request], Response | None]


@dataclass
class Receiver:
    """Answers as the protocol says, and keeps all bytes that came.

    Attributes:
        url: Where it listens.
        headers: The headers of every request.
        profiles: The profiles that it has, by digest.
        present: The digest of the last check-in.
        bodies: Every body by (method, path), in the order of arrival.
        standing: What it says of the machine.
        settling: How often it says that it is still looking something up.
        answer_first: Asked before the protocol; its answer counts, unless it is None.
    """

    url: str
    bodies: list[tuple[str, str, bytes]] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    profiles: dict[str, bytes] = field(default_factory=dict)
    present: str | None = None
    standing: str = "match"
    settling: int = 0
    answer_first: Answer = lambda _request: None

    def handle(self, request: Request) -> Response:
        """One request."""
        body = request.get_data()
        self.bodies.append((request.method, request.path, body))
        self.headers.append(str(request.headers))
        given = self.answer_first(request)
        if given is not None:
            return given
        if request.path == "/v1/enrolments":
            return _json(201, {"machine": "m-1", "token": "tok-5ecret", "group": "default"})
        if request.path.startswith("/v1/profiles/"):
            name = request.path.rpartition("/")[2]
            assert name == "sha256:" + hashlib.sha256(body).hexdigest()
            self.profiles[name] = body
            return _json(201, {})
        if request.path == "/v1/check-ins":
            return self._check_in(json.loads(body))
        return _json(200, self._view())

    def sent(self, path: str) -> list[Any]:
        """The JSON bodies that came for a path."""
        return [json.loads(body) for _, where, body in self.bodies if where.startswith(path)]

    def _check_in(self, sent: dict[str, Any]) -> Response:
        self.present = sent["profile"]
        told = [each["profile"] for each in sent.get("changes", ())]
        wanted = [
            each for each in dict.fromkeys((*told, self.present)) if each not in self.profiles
        ]
        tag = f"{self.standing} {self.present}"
        ack = {"state": self.standing, "tag": tag, "next_s": 600, "wanted": wanted}
        return _json(200, ack)

    def _view(self) -> dict[str, Any]:
        self.settling -= 1
        profile = json.loads(self.profiles.get(self.present or "", b"{}"))
        return {
            "machine": "m-1",
            "label": "laptop-7",
            "group": "default",
            "standing": self.standing,
            "since": 1_795_000_000,
            "tag": f"{self.standing} {self.present}",
            "judged_at": 1_795_090_000,
            "profile": self.present,
            "settling": self.settling >= 0,
            "config": profile.get("config"),
            "installs": [
                {"install": each, "counted": True} for each in profile.get("installs", ())
            ],
        }


def _json(status: int, value: object) -> Response:
    return Response(json.dumps(value), status=status, mimetype="application/json")
