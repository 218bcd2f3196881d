"""The daemon tells the desktop of drift: once, by a real program on its PATH."""

import json
import sys
from contextlib import closing
from dataclasses import replace

from werkzeug import Request, Response

from agent import identity
from agent.cycle import Parts
from agent.daemon import Daemon
from agent.identity import Identity
from agent.journal import open_journal
from agent.settings import Settings
from tests.agent.receiver import Receiver

PROGRAM = """#!{python} -IS
import json, sys
with open({file!r}, "a") as stream:
    stream.write(json.dumps(sys.argv[1:]) + "\\n")
"""


class Desktop:
    """A laptop whose desktop keeps what it is told."""

    def __init__(self, laptop: Settings, receiver: Receiver) -> None:
        self._file = laptop.home.parent / "shown.jsonl"
        bin_dir = laptop.home.parent / "bin"
        bin_dir.mkdir()
        program = bin_dir / "notify-send"
        program.write_text(PROGRAM.format(python=sys.executable, file=str(self._file)))
        program.chmod(0o755)
        self._receiver, self.code = receiver, "build-behind"
        receiver.answer_first = self._answer
        who = Identity(receiver.url, "m-1", "tok", "laptop-7", "default")
        identity.keep(laptop.state_dir, who)
        self.now = 1_795_000_000.0
        environment = {"PATH": str(bin_dir)}
        parts = Parts(laptop, environment, clock=lambda: self.now, chance=lambda: 0.5)
        self._daemon = Daemon(parts, who)

    def hears(self, standing: str, code: str = "build-behind") -> list[str]:
        """The texts that it has been told so far, after one more check-in."""
        self._receiver.standing, self.code = standing, code
        self.now = max(self._daemon.due_at or 0, self.now) + 1
        self._daemon.tick()
        lines = self._file.read_text().splitlines() if self._file.exists() else []
        return [json.loads(line)[-1] for line in lines]

    def _answer(self, request: Request) -> Response | None:
        if request.path != "/v1/machines/me":
            return None
        found = {"code": self.code, "severity": "drift", "subject": "x", "sentence": self.code}
        findings = [found] if self._receiver.standing == "drift" else []
        body = json.dumps(self._receiver._view() | {"findings": findings})
        return Response(body, status=200, mimetype="application/json")


def test_the_desktop_is_told_of_drift_once(laptop: Settings, receiver: Receiver) -> None:
    """Again only after it had gone and come back."""
    desktop = Desktop(laptop, receiver)
    assert desktop.hears("match") == []
    (first,) = desktop.hears("drift")
    assert first.startswith("build-behind.")
    assert first.endswith("parity-agent fix")
    assert len(desktop.hears("drift")) == 1
    assert len(desktop.hears("match")) == 1
    assert len(desktop.hears("drift")) == 2


def test_a_setting_keeps_the_desktop_quiet(laptop: Settings, receiver: Receiver) -> None:
    """Whoever turned it off is told nothing."""
    desktop = Desktop(replace(laptop, notify_desktop=False), receiver)
    assert desktop.hears("drift") == []


def test_a_restart_tells_nothing_again(laptop: Settings, receiver: Receiver) -> None:
    """What was told is kept, and found again by the next daemon."""
    assert len(Desktop(laptop, receiver).hears("drift")) == 1
    (laptop.home.parent / "bin" / "notify-send").unlink()
    (laptop.home.parent / "bin").rmdir()
    assert len(Desktop(laptop, receiver).hears("drift")) == 1


def test_what_another_version_kept_of_notifications_is_nothing(
    laptop: Settings, receiver: Receiver
) -> None:
    """The cycle goes on, and the finding is told once more."""
    desktop = Desktop(laptop, receiver)
    assert len(desktop.hears("drift")) == 1
    with closing(open_journal(laptop.state_dir)) as journal:
        journal.remember("notified", b'{"another": "shape"}', 1)
    assert len(desktop.hears("drift")) == 2


def test_a_desktop_without_the_program_harms_nothing(laptop: Settings, receiver: Receiver) -> None:
    """The cycle goes on."""
    desktop = Desktop(laptop, receiver)
    (laptop.home.parent / "bin" / "notify-send").unlink()
    assert desktop.hears("drift") == []
    receiver.bodies.clear()
    desktop.hears("match")
    assert receiver.sent("/v1/check-ins")
