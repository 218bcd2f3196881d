"""The server of `install/try`: one process on loopback that ends with the script."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from install.kit.commands import KitError, run
from install.kit.environment import ROOT
from install.kit.place import Place
from install.kit.progress import Progress

FIRST_PORT = 8470
"""Where a free port is looked for first; a run keeps the port of the run before it."""

START_TIMEOUT_S = 30.0
"""Seconds that the server may take until it listens."""

READ_TIMEOUT_S = 45.0
"""Seconds that the first reading of what is public may take."""

END_TIMEOUT_S = 30.0
"""Seconds that the server may take to end."""

ANSWER_TIMEOUT_S = 10.0
"""Seconds that the server may take for an answer."""

ANSWER_MAX_BYTES = 1_048_576
"""Largest answer that is read, in bytes."""

_LOOPBACK = "127.0.0.1"
_POLL_S = 0.05
_PASSED_ON = ("PARITY_SERVER_BUCKET_URL", "PARITY_SERVER_NPM_REGISTRY_URL")


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        place: Where its things are kept.
        command: ``parity-server``.
        variables: Its environment.
        port: On loopback.
        started_at: When, in whole seconds since the epoch.
        leash: Ends with the server, and the server with it.
    """

    place: Place
    command: Path
    variables: dict[str, str]
    port: int
    started_at: int
    leash: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{_LOOPBACK}:{self.port}"

    @property
    def secret(self) -> Path:
        """The file with the enrolment secret."""
        return self.place.note("enrolment-secret")

    @property
    def token(self) -> str:
        """The viewer token."""
        return self.place.kept("viewer-token") or ""

    def forget(self, label: str) -> None:
        """Deletes a machine, so that its label is free.

        Raises:
            KitError: The command failed.
        """
        argv = [str(self.command), "machines", "forget", "--yes", label]
        run(argv, what=f"forget {label}", timeout_s=60, environment=self.variables)

    def wait(self) -> None:
        """Waits until the server ends by itself.

        Raises:
            KitError: It did.
        """
        code = self.leash.wait()
        raise KitError(f"the server ended by itself, with {code}: see .try/server.log")

    def status(self) -> dict[str, Any]:
        """What ``GET /v1/status`` says.

        Raises:
            KitError: It says nothing usable.
        """
        # Not urllib: a proxy for the web, set in the environment, has no business here.
        connection = http.client.HTTPConnection(_LOOPBACK, self.port, timeout=ANSWER_TIMEOUT_S)
        try:
            connection.request(
                "GET", "/v1/status", headers={"Authorization": f"Bearer {self.token}"}
            )
            return dict(json.loads(connection.getresponse().read(ANSWER_MAX_BYTES)))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise KitError(f"the server does not answer: {error}") from error
        finally:
            connection.close()

    def wait_for_heads(self) -> bool:
        """Waits until the release sources were asked once since the start.

        Returns:
            Whether any of them has told what is public now.

        Raises:
            KitError: The server does not answer.
        """
        ends = time.monotonic() + READ_TIMEOUT_S
        while time.monotonic() < ends:
            sources = self.status()["sources"]
            if any((each["read_at"] or 0) >= self.started_at for each in sources):
                return True
            if len(self._failed()) >= _sources(self.variables):
                return False
            time.sleep(_POLL_S)
        return False

    def _failed(self) -> set[str]:
        # The status tells since when a source is away, not when it was asked last.
        said = self.place.log.read_text(encoding="utf-8", errors="replace").splitlines()
        lines = [json.loads(line) for line in said if line.startswith("{")]
        return {line["source"] for line in lines if line.get("event") == "source_failed"}


def prepare(place: Place, commands: Path, environment: dict[str, str]) -> None:
    """Makes or updates the database, and the two secrets that a run needs.

    Raises:
        KitError: A command of the server failed.
    """
    server = commands / "parity-server"
    run([server, "migrate"], what="make the database", timeout_s=60, environment=environment)
    for note, words in _SECRETS.items():
        if place.kept(note) is None:
            made = run(
                [server, *words], what=f"make the {note}", timeout_s=60, environment=environment
            )
            place.keep(note, made.strip())


_SECRETS = {
    "enrolment-secret": ["enrolment-secret", "create"],
    "viewer-token": ["token", "create", "try"],
}


def environment(place: Place, registry: str | None) -> dict[str, str]:
    """The server's variables: of the caller's own settings, only where public facts are.

    A setting of a real server, its database above all, must not reach this one.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PARITY_") or name in _PASSED_ON
    }
    kept |= {"PARITY_SERVER_DATA_DIR": str(place.data)}
    if registry:
        kept["PARITY_SERVER_NPM_REGISTRY_URL"] = registry
    return kept


@contextmanager
def running(
    place: Place, commands: Path, variables: dict[str, str], progress: Progress
) -> Iterator[Server]:
    """Starts the server, and ends it when the block is left, however that happens.

    Raises:
        KitError: It did not start; the message holds what it said.
    """
    port = _port(place)
    started_at = int(time.time())
    serve = ["serve", "--host", _LOOPBACK, "--port", str(port)]
    command = commands / "parity-server"
    leashed = [sys.executable, "-B", "-m", "install.kit.leash", str(command)]
    with place.log.open("wb") as log:
        leash = subprocess.Popen(
            [*leashed, *serve],
            cwd=ROOT,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the script alone, which then ends this
        )
    try:
        with progress.step("starting the server"):
            _wait_until_listening(leash, place.log, f"http://{_LOOPBACK}:{port}")
        place.keep("port", str(port))
        yield Server(place, command, variables, port, started_at, leash)
    finally:
        leash.communicate(timeout=END_TIMEOUT_S)  # closes the pipe, which ends the server


def _sources(variables: dict[str, str]) -> int:
    """How many there are: the bucket, unless it is switched off, and perhaps a registry."""
    has_registry = "PARITY_SERVER_NPM_REGISTRY_URL" in variables
    return has_registry + bool(variables.get("PARITY_SERVER_BUCKET_URL", "the default"))


def _port(place: Place) -> int:
    """The port of the last run if it is free, else the first free one."""
    kept = place.kept("port")
    wishes: list[int] = [int(kept)] if kept and kept.isdecimal() else []
    wishes += range(FIRST_PORT, FIRST_PORT + 100)
    free = next(filter(_is_free, wishes), None)
    if free is None:
        raise KitError(f"no port from {FIRST_PORT} to {FIRST_PORT + 99} is free on {_LOOPBACK}")
    return free


def _is_free(port: int) -> bool:
    try:
        socket.create_server((_LOOPBACK, port)).close()
    except OSError:
        return False
    return True


def _wait_until_listening(leash: subprocess.Popen[bytes], log: Path, url: str) -> None:
    ends = time.monotonic() + START_TIMEOUT_S
    while url not in log.read_text(encoding="utf-8", errors="replace"):
        if leash.poll() is not None or time.monotonic() > ends:
            said = log.read_text(encoding="utf-8", errors="replace")
            raise KitError("the server did not start", output=said)
        time.sleep(_POLL_S)
