"""What the registry and the locks claim of live processes."""

import json
from pathlib import Path

import pytest

from agent.fingerprint import Fingerprints
from agent.running import Running
from tests.agent.scratch import host_of
from tests.agent.standin import started


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    """The folder in which the native installer keeps its versions."""
    return tmp_path / "home" / ".local" / "share" / "claude" / "versions"


@pytest.fixture
def cache(tmp_path: Path) -> Fingerprints:
    """An empty cache."""
    return Fingerprints(tmp_path / "cache.json")


def test_a_registry_entry_makes_its_live_process_a_session(
    tmp_path: Path, cache: Fingerprints
) -> None:
    """By number and start token: an entry that outlived its process claims nothing."""
    registry = tmp_path / "home" / ".claude" / "sessions"
    registry.mkdir(parents=True)
    with started(tmp_path / "custom" / "build") as process:
        host = host_of(tmp_path, process.pid)
        (live,) = host.processes()
        entry = {"pid": live.pid, "procStart": "17", "cwd": "/secret", "name": "secret"}
        file = registry / f"{live.pid}.json"
        file.write_text(json.dumps(entry))
        followed = Running()
        assert followed.look(host, cache, ()) == ()
        file.write_text(json.dumps(entry | {"procStart": live.started}))
        assert followed.has_changed(host)
        (found,) = followed.look(host, cache, ())
        assert found.session.build is not None


def test_the_registry_tells_the_surface_once_it_knows_it(
    tmp_path: Path, versions: Path, cache: Fingerprints
) -> None:
    """An entry is written a moment after the start, and removed a moment before the end."""
    registry = tmp_path / "home" / ".claude" / "sessions"
    registry.mkdir(parents=True)
    followed = Running()
    with started(versions / "2.1.330") as process:
        host = host_of(tmp_path, process.pid)
        followed.look(host, cache, ())
        (live,) = host.processes()
        file = registry / f"{live.pid}.json"
        entry = {"pid": live.pid, "procStart": live.started, "entrypoint": "cli", "kind": "bg"}
        file.write_text(json.dumps(entry))
        assert followed.has_changed(host)
        assert [each.surface for each in followed.look(host, cache, ())] == ["background"]
        file.unlink()
        assert not followed.has_changed(host)
        assert [each.surface for each in followed.look(host, cache, ())] == ["background"]


def test_a_lock_makes_the_process_of_its_program_a_session(
    tmp_path: Path, cache: Fingerprints
) -> None:
    """A lock of another program is one that its process left behind."""
    locks = tmp_path / "home" / ".local" / "state" / "claude" / "locks"
    locks.mkdir(parents=True)
    program = tmp_path / "home" / "custom" / "build"
    with started(program) as process:
        host = host_of(tmp_path, process.pid)
        lock = {"pid": process.pid, "version": "2.1.330", "execPath": "/elsewhere"}
        (locks / "2.1.330.lock").write_text(json.dumps(lock))
        assert Running().look(host, cache, ()) == ()
        lock["execPath"] = str(program)
        (locks / f"2.1.330#{process.pid}.lock").write_text(json.dumps(lock))
        assert len(Running().look(host, cache, ())) == 1


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[]", b'{"pid":"x"}', b" " * 100_000])
def test_a_damaged_registry_claims_nothing(
    tmp_path: Path, versions: Path, cache: Fingerprints, data: bytes
) -> None:
    """What is a session by its program is one all the same."""
    registry = tmp_path / "home" / ".claude" / "sessions"
    registry.mkdir(parents=True)
    (registry / "1.json").write_bytes(data)
    with started(versions / "2.1.330") as process:
        assert len(Running().look(host_of(tmp_path, process.pid), cache, ())) == 1
