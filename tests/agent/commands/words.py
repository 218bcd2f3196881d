"""A laptop with a server's word of one's own choice, and a stand-in for what mends it."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from werkzeug import Request, Response

from server.meanings import meanings
from tests.agent.receiver import Receiver
from tests.e2e.harness import COMMAND_TIMEOUT_S, COMMANDS, Laptop

BEHIND: dict[str, Any] = {
    "code": "build-behind",
    "severity": "drift",
    "subject": "npm global 2.1.329",
    "sentence": "the npm install 2.1.329 is behind: latest is 2.1.330",
    "since": 1_795_000_000,
    "deadline": 1_795_080_000,
    "fix": {"action": "install", "method": "npm", "target": "2.1.330"},
}
OVERRIDDEN: dict[str, Any] = {
    "code": "config-overridden",
    "severity": "drift",
    "subject": "setting effortLevel",
    "sentence": "the setting effortLevel is low in the user layer: users run without",
    "since": 1_795_000_000,
    "fix": {"action": "unset", "method": "user", "target": "effortLevel"},
}

_NPM = """#!{python} -IS
import json, sys
with open({file!r}, "a") as stream:
    stream.write(json.dumps(sys.argv) + "\\n")
sys.exit({code})
"""


@dataclass
class Told:
    """An enrolled laptop, and what its server says of it.

    Attributes:
        laptop: The laptop.
        receiver: In the server's place.
        findings: What the word holds.
        asked: The paths that were asked for, with whether a token came along.
    """

    laptop: Laptop
    receiver: Receiver
    findings: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.receiver.standing = "drift"
        self.receiver.answer_first = self._answer
        self.laptop.settings["enrol_secret"] = "of-the-operator"  # noqa: S105 - this test's own
        words = ("--server", self.receiver.url, "--label", "laptop-7")
        done = self.run("enrol", *words)
        assert done.returncode == 0, done.stderr

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of the laptop, whose PATH begins with the stand-in's folder."""
        return self.laptop.run(*words, prefix=("/usr/bin/env", f"PATH={self._path}"))

    def typed(self, *words: str, typing: bytes) -> tuple[int, str]:
        """The exit code of a command that a person answers, and all that the person saw."""
        mine, theirs = pty.openpty()
        process = subprocess.Popen(
            [COMMANDS / "parity-agent", *words],
            env=self.laptop.environment | {"PATH": self._path},
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        os.close(theirs)
        os.write(mine, typing)
        said, _ = process.communicate(timeout=COMMAND_TIMEOUT_S)
        os.close(mine)
        return process.returncode, said

    def go_away(self) -> None:
        """Lets the server answer nothing of its own any more."""
        self.receiver.answer_first = lambda _request: Response("", 502)

    @staticmethod
    def nothing_at(path: str) -> Callable[[Request], Response | None]:
        """Answers requests for one path as an older server does, which does not know it."""
        return lambda request: Response("", 404) if request.path == path else None

    def npm(self, *, code: int = 0) -> Path:
        """Puts a stand-in for npm first on the PATH; the file that it keeps its words in."""
        kept, program = self.laptop.folder / "npm.jsonl", self._bin / "npm"
        self._bin.mkdir(exist_ok=True)
        program.write_text(_NPM.format(python=sys.executable, file=str(kept), code=code))
        program.chmod(0o755)
        return kept

    def mended(self) -> list[list[str]]:
        """All words that the stand-in was started with."""
        kept = self.laptop.folder / "npm.jsonl"
        lines = kept.read_text().splitlines() if kept.exists() else []
        return [json.loads(line) for line in lines]

    @property
    def _bin(self) -> Path:
        return self.laptop.folder / "bin"

    @property
    def _path(self) -> str:
        return f"{self._bin}{os.pathsep}{os.environ['PATH']}"

    def _answer(self, request: Request) -> Response | None:
        self.asked.append((request.path, "Authorization" in request.headers))
        if request.path == "/v1/meanings":
            return _json(msgspec.json.encode(meanings()))
        if request.path == "/v1/machines/me":
            return _json(json.dumps(self.receiver._view() | {"findings": self.findings}))
        return None


def _json(body: str | bytes) -> Response:
    return Response(body, status=200, mimetype="application/json")
