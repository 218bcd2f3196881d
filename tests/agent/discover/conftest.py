"""Recorded trees, and scratch machines with real files, for the methods."""

from collections.abc import Callable, Mapping
from pathlib import Path, PurePath

import pytest

from agent import digest, platforms, profile
from agent.discover import census
from agent.discover.census import Census
from agent.fingerprint import Fingerprints
from agent.host import Host
from agent.testing import RecordedHost, recorded

GOLDEN = Path(__file__).parents[2] / "golden" / "hosts"


@pytest.fixture
def golden() -> Callable[[str], RecordedHost]:
    """``golden("npm/win32")``: a recorded tree of tests/golden/hosts."""
    return lambda name: recorded((GOLDEN / f"{name}.toml").read_text(encoding="utf-8"))


@pytest.fixture
def tree() -> Callable[..., RecordedHost]:
    """``tree(files, login="bash")``: a host of a few files; a text, or a file's table."""

    def build(
        files: Mapping[str, object],
        *,
        login: str = "bash",
        system: str = "linux",
        environment: Mapping[str, str] | None = None,
    ) -> RecordedHost:
        entries = {
            name: {"text": entry} if isinstance(entry, str) else entry
            for name, entry in files.items()
        }
        home = {"linux": "/home/u", "darwin": "/Users/u", "win32": "C:\\Users\\u"}[system]
        host = {"system": system, "arch": "x64", "home": home, "shell": login}
        origin = {"kind": "facts", "section": "1.1", "verified": False}
        return RecordedHost(
            {"origin": origin, "host": host, "files": entries, "environment": environment or {}}
        )

    return build


@pytest.fixture
def fingerprints(tmp_path: Path) -> Fingerprints:
    """An empty cache."""
    return Fingerprints(tmp_path / "state" / "fingerprints.json")


@pytest.fixture
def take(fingerprints: Fingerprints) -> Callable[[Host], Census]:
    """The census of a host."""
    return lambda host: census.take(host, fingerprints)


@pytest.fixture
def sent() -> Callable[[Host, Census], str]:
    """``sent(host, found)``: all that a profile would say of what was found."""

    def said(host: Host, found: Census) -> str:
        made = profile.make(
            system=host.system,
            arch=host.arch,
            census_installs=(each.install for each in found.installs),
            more=found.more,
            config=None,
            problems=found.problems,
        )
        return digest.canonical(made).decode("utf-8")

    return said


@pytest.fixture
def live(tmp_path: Path) -> Callable[..., Host]:
    """``live(home)``: the live host over a scratch home and an empty system root."""
    root = tmp_path / "root"
    root.mkdir()

    def build(home: PurePath) -> Host:
        environment = {"SHELL": "/bin/bash", "USER": "u"}
        return platforms.live(home=Path(home), system_root=root, environment=environment)

    return build
