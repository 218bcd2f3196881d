"""Running sessions on real stand-in programs."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

import pytest

from agent import executed, wire
from agent.claude_config.session_overrides import Trait
from agent.fingerprint import Fingerprints
from agent.host import Host
from agent.running import Running
from tests.agent.scratch import host_of, installed
from tests.agent.standin import copied, executing, runtime, started, waiting


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    """The folder in which the native installer keeps its versions."""
    return tmp_path / "home" / ".local" / "share" / "claude" / "versions"


@pytest.fixture
def cache(tmp_path: Path) -> Fingerprints:
    """An empty cache."""
    return Fingerprints(tmp_path / "cache.json")


class Blind:
    """A machine on which nobody may ask with what a process was started."""

    def __init__(self, host: Host) -> None:
        """Is otherwise like another one."""
        self._host = host

    def __getattr__(self, name: str) -> Any:
        """What the other one has, but for that."""
        assert name != "started_with"
        return getattr(self._host, name)


def test_a_running_version_is_told_with_its_bytes(
    tmp_path: Path, versions: Path, cache: Fingerprints
) -> None:
    """The file that it was started from still has them."""
    program = versions / "2.1.330"
    with started(program) as process:
        (found,) = Running().look(host_of(tmp_path, process.pid), cache, ())
        assert found.program == program
        assert found.session.file == "present"
        assert found.session.build is not None
        assert found.session.build.size == program.stat().st_size


def test_a_deleted_file_is_hashed_out_of_memory(
    tmp_path: Path, versions: Path, cache: Fingerprints
) -> None:
    """Seen for the first time after an update removed it."""
    program = versions / "2.1.329"
    with started(program) as process:
        host = host_of(tmp_path, process.pid)
        expected = Fingerprints(tmp_path / "other.json").examine(host, program).build
        program.unlink()
        (found,) = Running().look(host, cache, ())
        assert found.session == wire.Session("deleted", expected)
        assert found.program == program


def test_a_containers_file_is_there_though_only_the_container_sees_it(
    tmp_path: Path, versions: Path, cache: Fingerprints
) -> None:
    """It has its name in another mount namespace: nobody deleted it, until somebody does."""
    versions.mkdir(parents=True)
    program = versions / "2.1.330"
    inside = f"mount -t tmpfs none {versions} && cp /bin/sh {program} && exec {program} -c"
    wait = f"echo ready; read x; rm {program}; echo ready; read x"
    with subprocess.Popen(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", f"{inside} '{wait}'"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        running, host = Running(), host_of(tmp_path, process.pid)
        (found,) = running.look(host, cache, ())
        assert found.session.file == "present"
        assert found.session.build is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"ready\n"
        (after,) = running.look(host, cache, ())
        assert after.session.file == "deleted"
        assert after.session.build == found.session.build
        process.kill()


def test_a_replaced_file_is_told_with_the_bytes_that_run(
    tmp_path: Path, versions: Path, cache: Fingerprints
) -> None:
    """The same path has another file by now, of other bytes."""
    program = versions / "2.1.330"
    with started(program) as process:
        host = host_of(tmp_path, process.pid)
        followed = Running()
        (before,) = followed.look(host, cache, ())
        newer = copied(program.with_name("newer"))
        newer.write_bytes(newer.read_bytes() + b"newer")
        newer.replace(program)
        assert followed.has_changed(host)
        for each in (followed, Running()):
            (after,) = each.look(host, cache, ())
            assert after.session == wire.Session("replaced", before.session.build)


def test_a_session_that_goes_on_while_its_file_is_deleted_is_noticed(
    tmp_path: Path, versions: Path, cache: Fingerprints
) -> None:
    """No new process is needed for that, and none is examined again."""
    program = versions / "2.1.330"
    with started(program) as process:
        host = host_of(tmp_path, process.pid)
        followed = Running()
        (before,) = followed.look(host, cache, ())
        assert not followed.has_changed(host)
        program.unlink()
        assert followed.has_changed(host)
        told: list[int] = []
        (after,) = followed.look(host, cache, (), lambda done, _: told.append(done))
        assert after.session == wire.Session("deleted", before.session.build)
        assert told == []
        assert not followed.has_changed(host)


def test_a_session_has_its_process_its_start_and_its_surface(
    tmp_path: Path, versions: Path, cache: Fingerprints
) -> None:
    """What is known of it is told again without a look."""
    followed = Running()
    before = int(time.time())
    with started(versions / "2.1.330") as process:
        host = host_of(tmp_path, process.pid)
        assert followed.seen() == ()
        (found,) = followed.look(host, cache, ())
        assert (found.process,) == host.processes()
        assert found.surface == "terminal"
        assert found.started_at is not None
        assert abs(found.started_at - before) < 3
        assert followed.seen() == (found,)


def test_a_known_install_tells_the_surface(tmp_path: Path, cache: Fingerprints) -> None:
    """By its method, also under another name of its file."""
    program = tmp_path / "odd" / "claude"
    with started(program) as process:
        other_name = tmp_path / "bundled"
        other_name.hardlink_to(program)
        installs = installed(other_name, method="agent_sdk")
        (found,) = Running().look(host_of(tmp_path, process.pid), cache, installs)
        assert found.surface == "sdk"


def test_a_program_that_goes_over_to_another_one_is_examined_anew(
    tmp_path: Path, versions: Path, cache: Fingerprints
) -> None:
    """Number and start token stay (execve(2)): what runs is another build."""
    old, new, plain = versions / "2.1.329", versions / "2.1.330", tmp_path / "editor"
    followed = Running()
    with executing(old, new, plain) as step:
        host = host_of(tmp_path, step())
        (first,) = followed.look(host, cache, ())
        assert not followed.has_changed(host)
        step()
        assert followed.has_changed(host)
        (second,) = followed.look(host, cache, ())
        assert (first.program, second.program) == (old, new)
        assert second.process == first.process
        assert second.session != first.session
        step()
        assert followed.has_changed(host)
        assert followed.look(host, cache, ()) == ()


def test_a_launcher_becomes_the_session_that_it_starts(
    tmp_path: Path, versions: Path, cache: Fingerprints
) -> None:
    """It was seen a moment before; at a later look it is looked at once more."""
    followed = Running()
    with executing(tmp_path / "launcher", versions / "2.1.330") as step:
        host = host_of(tmp_path, step())
        assert followed.look(host, cache, ()) == ()
        step()
        assert followed.has_changed(host)
        assert len(followed.look(host, cache, ())) == 1


def test_a_session_that_waits_to_be_buried_has_ended(
    tmp_path: Path, versions: Path, cache: Fingerprints
) -> None:
    """Its number is still taken, and nothing runs under it."""
    followed = Running()
    with started(versions / "2.1.330") as process:
        host = host_of(tmp_path, process.pid)
        assert len(followed.look(host, cache, ())) == 1
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert host.processes() == ()
        assert followed.has_changed(host)
        assert followed.look(host, cache, ()) == ()


def test_sessions_that_come_and_go_are_noticed(
    tmp_path: Path, versions: Path, cache: Fingerprints
) -> None:
    """Other programs are not."""
    followed = Running()
    with started(tmp_path / "editor") as other, started(versions / "2.1.330") as process:
        host = host_of(tmp_path, other.pid, process.pid)
        assert followed.has_changed(host)
        assert len(followed.look(host, cache, ())) == 1
        assert not followed.has_changed(host)
    assert followed.has_changed(host)
    assert followed.look(host, cache, ()) == ()
    assert not followed.has_changed(host)


def test_text_in_arguments_makes_no_session(tmp_path: Path, cache: Fingerprints) -> None:
    """Nor does a program's name."""
    words = ("600", "/home/u/.local/share/claude/versions/2.1.330", "claude")
    with started(tmp_path / "claude", "--", "600") as process:
        assert Running().look(host_of(tmp_path, process.pid), cache, ()) == ()
    with runtime(tmp_path / "notes.js", *words, program=_node(tmp_path)) as process:
        assert Running().look(host_of(tmp_path, process.pid), cache, ()) == ()


def test_a_known_installs_file_is_a_session_wherever_it_lies(
    tmp_path: Path, cache: Fingerprints
) -> None:
    """By the file itself, whatever name it was started under; found later it counts too."""
    program = tmp_path / "odd" / "place"
    with started(program) as process:
        host = host_of(tmp_path, process.pid)
        other_name = tmp_path / "package"
        other_name.hardlink_to(program)
        followed = Running()
        assert followed.look(host, cache, ()) == ()
        assert len(followed.look(host, cache, installed(other_name))) == 1


def test_a_launcher_of_many_programs_is_not_claude_code(
    tmp_path: Path, cache: Fingerprints
) -> None:
    """What a shell starts by the name, and whose bytes say nothing, may start anything."""
    program = tmp_path / "shims" / "manager"
    with started(program) as process:
        host = host_of(tmp_path, process.pid)
        assert Running().look(host, cache, installed(program, method="other")) == ()


def _node(tmp_path: Path) -> str:
    """A runtime that is called node: Python under that name, which a venv would hide."""
    node = tmp_path / "node"
    if not node.exists():
        shutil.copy(os.path.realpath(sys.executable), node)
    return str(node)


def test_a_runtime_is_a_session_by_the_script_of_a_known_install(
    tmp_path: Path, cache: Fingerprints
) -> None:
    """Through the link by which it was started; other scripts are nothing."""
    script = tmp_path / "lib" / "cli.js"
    script.parent.mkdir()
    link = tmp_path / "claude"
    link.symlink_to(script)
    with runtime(link, program=_node(tmp_path)) as process:
        host = host_of(tmp_path, process.pid)
        assert Running().look(host, cache, ()) == ()
        (found,) = Running().look(host, cache, installed(script))
        assert found.program == script
        # It is no cli.js, so its bytes say nothing; what matters here is that they are read.
        assert found.session.reason == "the launcher is a script"


def test_a_script_that_was_changed_since_is_not_taken_for_the_one_that_runs(
    tmp_path: Path, cache: Fingerprints
) -> None:
    """A runtime has read it long ago, and no system shows what it read."""
    script = tmp_path / "cli.js"
    with runtime(script, program=_node(tmp_path)) as process:
        script.write_text("newer")
        host = host_of(tmp_path, process.pid)
        (found,) = Running().look(host, cache, installed(script))
        assert found.session == wire.Session("replaced", reason=executed.LATER)


def test_with_what_a_session_was_started_is_read_once(
    tmp_path: Path, versions: Path, cache: Fingerprints
) -> None:
    """It does not change."""
    variables = {"CLAUDE_CODE_EFFORT_LEVEL": "low", "HOME": "/canary"}
    followed = Running()
    with waiting(versions / "2.1.330", "--model", "opus", variables=variables) as process:
        host = host_of(tmp_path, process.pid)
        (first,) = followed.look(host, cache, ())
        assert first.traits == (
            Trait("flag", "model", "opus"),
            Trait("variable", "CLAUDE_CODE_EFFORT_LEVEL", "low"),
        )
        assert not followed.has_changed(host)
        assert followed.look(cast("Host", Blind(host)), cache, ()) == (first,)
