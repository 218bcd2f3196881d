"""A real server process on a free loopback port, and the commands beside it."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import msgspec
import requests

from agent.wire import Refusal

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30


class Live:
    """A ``parity-server`` in a folder of its own, without a source that it could reach.

    Attributes:
        folder: Of the database.
        root: Of the code that it runs.
        environment: Its variables.
        url: Its address, while it runs.
        process: The running process.
    """

    def __init__(self, folder: Path, *, root: Path = ROOT, **settings: str) -> None:
        self.folder = folder
        self.root = root
        passed_on = {name: os.environ[name] for name in ("LANG",) if name in os.environ}
        told = {f"PARITY_SERVER_{name.upper()}": value for name, value in settings.items()}
        self.environment = passed_on | {
            "PATH": str(Path(sys.executable).parent),  # without npm, which knows a registry
            "HOME": str(folder / "home"),
            "PYTHONPATH": str(root),
            "PARITY_SERVER_BUCKET_URL": "",
            **told,
        }
        self.url = ""
        self.process: subprocess.Popen[str] | None = None

    @property
    def log(self) -> str:
        """All that it logged, over all starts."""
        return (self.folder.parent / f"{self.folder.name}.log").read_text(encoding="utf-8")

    @property
    def _command(self) -> list[str]:
        return [sys.executable, "-m", "server"]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end, whatever its exit code."""
        return subprocess.run(
            [*self._command, *words, "--data", str(self.folder)],
            env=self.environment,
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def printed(self, *words: str) -> str:
        """What a command that succeeds prints."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def rows(self, *words: str) -> list[list[str]]:
        """The rows of the table that a command which succeeds prints, without the headings."""
        lines = self.printed(*words).splitlines()
        return [re.split(" {2,}", line) for line in lines[1:]]

    def start(self, *words: str) -> Self:
        """Starts serving, and returns when it listens."""
        with (self.folder.parent / f"{self.folder.name}.log").open("a") as log:
            self.process = subprocess.Popen(
                [*self._command, "serve", "--data", str(self.folder), "--port", "0", *words],
                env=self.environment,
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert said.startswith("listening on "), self.log
        self.url = said.removeprefix("listening on ").strip()
        return self

    def stop(self) -> int:
        """Ends it as an operator would; its exit code."""
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        self.process.stdout.close()
        self.process = None
        return code

    def enrol(self, label: str, key: str, secret: str) -> str:
        """Enrols a machine; its token."""
        body = {"wire": 1, "secret": secret, "label": label, "key": key}
        answer = requests.post(f"{self.url}/v1/enrolments", json=body, timeout=PATIENCE_S)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    def get(self, path: str, token: str) -> Any:
        """What a reader is told, as JSON."""
        answer = requests.get(
            self.url + path, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE_S
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def raw(self, data: bytes, *, end: bool = False) -> tuple[int, Refusal | None]:
        """Sends bytes as they are; the status and, from 400 on, the refusal in the answer.

        Args:
            data: What is sent.
            end: Whether the client then says that it sends no more.
        """
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as connection:
            connection.sendall(data)
            if end:
                connection.shutdown(socket.SHUT_WR)
            head, _, body = _answer(connection).partition(b"\r\n\r\n")
        status = int(head.split(b" ")[1])
        return status, refusal(body) if status >= 400 else None


def refusal(body: bytes) -> Refusal:
    """The refusal in a body, which names the wire versions that the server reads."""
    assert b'"wires":[1]' in body
    return msgspec.json.decode(body, type=Refusal)


def _answer(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data or len(data.partition(b"\r\n\r\n")[2]) < _length(data):
        chunk = connection.recv(65_536)
        if not chunk:
            break
        data += chunk
    return data


def _length(data: bytes) -> int:
    lines = data.partition(b"\r\n\r\n")[0].lower().split(b"\r\n")
    return next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
