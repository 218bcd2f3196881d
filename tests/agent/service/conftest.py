"""Stand-ins of the service managers: neither one of a signed-in user nor a Mac is at hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.service.launch import Launch

PROGRAMS = {"systemd": "systemctl", "launchd": "launchctl", "task_scheduler": "schtasks"}


@dataclass(frozen=True)
class Manager:
    """A program on a PATH of its own that records what it is asked, a line a call."""

    folder: Path

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables by which it is found."""
        return {"PATH": f"{self.folder}:/usr/bin:/bin"}

    def asked(self) -> list[str]:
        """Every call, in order."""
        record = self.folder / "asked"
        return record.read_text().splitlines() if record.exists() else []


@pytest.fixture
def manager(tmp_path: Path) -> Callable[..., Manager]:
    """``manager(name, refuses="")``: it fails where its arguments hold a word."""

    def made(name: str, *, refuses: str = "") -> Manager:
        folder = tmp_path / "managers"
        folder.mkdir()
        program = folder / PROGRAMS[name]
        refusal = f'case "$*" in *{refuses}*) echo "no bus" >&2; exit 1;; esac\n' if refuses else ""
        program.write_text(f'#!/bin/sh\necho "$*" >> "{folder}/asked"\n{refusal}')
        program.chmod(0o755)
        return Manager(folder)

    return made


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    """A service of a scratch user."""
    return Launch(
        command=("/opt/build parity/bin/parity-agent",),
        environment={
            "HTTPS_PROXY": "http://proxy.example.com:3128",
            "PARITY_AGENT_LABEL": 'a "b" 100% $HOME \\ c',
            "PARITY_AGENT_STATE_DIR": str(tmp_path / "state"),
        },
        home=tmp_path / "home",
        state_dir=tmp_path / "state",
        user="DESK\\ada",
    )
