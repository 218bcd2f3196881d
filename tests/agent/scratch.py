"""Scratch machines on which some processes run, and what is told of these."""

from collections.abc import Iterable
from pathlib import Path, PurePath

from agent import platforms, wire
from agent.discover.census import LocalInstall
from agent.host import Host
from agent.running import LocalSession


def host_of(tmp_path: Path, *pids: int) -> Host:
    """A scratch machine on which some processes run."""
    (tmp_path / "home").mkdir(exist_ok=True)
    return platforms.live(
        home=tmp_path / "home", system_root=tmp_path, environment={}, process_roots=pids
    )


def installed(*programs: PurePath, method: str = "npm") -> list[LocalInstall]:
    """Installs whose program files are known."""
    return [LocalInstall(wire.Install(method, "global"), each) for each in programs]


def sessions_of(found: Iterable[LocalSession]) -> list[wire.Session]:
    """What may be sent of them."""
    return [each.session for each in found]
