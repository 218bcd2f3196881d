"""A service that is written down in files, under whichever manager: what all three share."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent import state_files
from agent.errors import AgentError
from agent.platforms import managers
from agent.platforms.managers import Done
from agent.service.interface import NAMES, Installed, Status, Unit
from agent.service.launch import is_carried

SYSTEMD_BOOTED = Path("/run/systemd/system")
"""Is there where systemd runs the system (sd_booted(3)); elsewhere it never begins a service."""

UNIT_MAX_BYTES = 262_144
"""Most of a written service that is read, in bytes."""

_BY_HAND = "start it by hand at each sign-in: parity-agent run"
_LATER = {
    "systemd": "nothing, it starts at the next sign-in; to start it now: parity-agent run",
    "launchd": "nothing, it starts at the next sign-in; to start it now: parity-agent run",
    "task_scheduler": "see the message above, and run: parity-agent service install",
}


@dataclass(frozen=True)
class WrittenService:
    """A `agent.service.interface.Service` of one unit.

    Attributes:
        unit: What is written down.
        environment: The user's variables, by which the manager is found and reached.
        booted: As `SYSTEMD_BOOTED`.
    """

    unit: Unit
    environment: Mapping[str, str]
    booted: Path = SYSTEMD_BOOTED

    def install(self) -> Installed:
        """As `agent.service.interface.Service.install`."""
        unit = self.unit
        for folder in unit.folders:
            _make(folder)
        for path, body in unit.beside.items():
            _write(path, body)
        _write(unit.file, unit.body)
        if unit.link is not None:
            _link(unit.link, unit.file)
        done = self._do("start")
        if done is None:
            reason = f"this system has no {unit.manager.replace('_', ' ')}"
            return Installed(unit.file, is_running=False, reason=reason, advice=_BY_HAND)
        if not done.ok:
            # As in WSL and in containers, whose systemctl is there and has nobody to ask.
            never = unit.manager == "systemd" and not self.booted.is_dir()
            advice = _BY_HAND if never else _LATER[unit.manager]
            return Installed(unit.file, is_running=False, reason=done.said, advice=advice)
        return Installed(unit.file, is_running=True)

    def uninstall(self) -> bool:
        """As `agent.service.interface.Service.uninstall`."""
        unit = self.unit
        was_there = unit.file.exists()
        if was_there:
            # A manager that does not know the service, or is not there, has nothing to end.
            self._do("stop")
        links = (unit.link,) if unit.link else ()
        for path in (*links, unit.file, *unit.beside, *unit.logs):
            _remove(path)
        for folder in unit.folders:
            _remove_empty(folder)
        if was_there:
            self._do("forget")
        return was_there

    def status(self) -> Status:
        """As `agent.service.interface.Service.status`."""
        unit = self.unit
        texts = {unit.file: unit.body, **unit.beside}
        found = {path: _read(path) for path in texts}
        done = self._do("ask") if found[unit.file] is not None else Done(ok=False)
        return Status(
            manager=unit.manager,
            file=unit.file,
            is_installed=found[unit.file] is not None,
            is_current=found == texts and (unit.link is None or unit.link.exists()),
            is_known=None if done is None else done.ok,
        )

    def _do(self, deed: managers.Deed) -> Done | None:
        unit = self.unit
        return managers.do(
            unit.manager,
            deed,
            name=NAMES[unit.manager],
            file=unit.file,
            environment=self.environment,
        )


def variables(path: Path) -> dict[str, str]:
    """The variables in a file beside a service, those that a service carries.

    Raises:
        AgentError: It cannot be read, is damaged, or others may read it.
    """
    told = state_files.load(path, dict[str, str], then="parity-agent service install") or {}
    return {name: value for name, value in told.items() if is_carried(name)}


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(folder, error) from error


def _write(path: Path, body: bytes) -> None:
    _make(path.parent)
    state_files.replace_bytes(path, body)


def _link(link: Path, file: Path) -> None:
    _make(link.parent)
    try:
        link.unlink(missing_ok=True)
        link.symlink_to(file)
    except OSError as error:
        raise _unusable(link, error) from error


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as stream:
            return stream.read(UNIT_MAX_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error) from error


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _unusable(path, error) from error


def _remove_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        # It holds something of another's, or is gone.
        return


def _unusable(path: Path, error: OSError) -> AgentError:
    return AgentError(
        f"cannot use {path}: {error.strerror}", advice="check the folder's owner and free space"
    )
