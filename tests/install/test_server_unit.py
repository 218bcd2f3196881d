"""The server's unit: systemd takes it, it is hardened, and what it starts serves in it."""

import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from server import settings as server_settings
from server.settings import Settings
from tests.agent.service.units import keys_of
from tests.conftest import missing

FOLDER = Path(__file__).resolve().parents[2] / "install" / "server"
UNIT = FOLDER / "parity-server.service"
EXPOSURE_MAX = 15
"""Tenths, of 100; the score of `systemd-analyze security`, where less is better."""

PATIENCE_S = 60
BY_ROOT_ONLY = frozenset({"fchown"})
"""What SQLite calls for the user root alone, which the unit's user is not."""


def _value(key: str) -> str:
    """The one value of a key of the unit."""
    (value,) = keys_of(UNIT.read_bytes())[key]
    return value


def _systemd_analyze(*words: str) -> str:
    program = shutil.which("systemd-analyze")
    if program is None:
        missing("systemd-analyze is not installed")
    done = subprocess.run(
        [str(program), *words], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def _with_a_program(folder: Path) -> Path:
    """The unit with a program that is there, as systemd asks for."""
    unit = folder / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/build-parity/bin/parity-server", "/bin/true"))
    return unit


def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path) -> None:
    """It knows every key and value."""
    assert _systemd_analyze("--man=no", "verify", str(_with_a_program(tmp_path))) == ""


def test_systemd_counts_it_among_the_least_exposed(tmp_path: Path) -> None:
    """What is left open is the network, which is what a server is for."""
    threshold = f"--threshold={EXPOSURE_MAX}"
    unit = str(_with_a_program(tmp_path))
    said = _systemd_analyze("security", "--no-pager", "--offline=true", threshold, unit)
    assert "Overall exposure level" in said


def test_its_limits_leave_room_for_the_servers_own() -> None:
    """A connection is a descriptor, and a stop is given its time."""
    defaults = Settings()
    assert int(_value("LimitNOFILE")) >= 2 * defaults.connections_max
    assert int(_value("TimeoutStopSec")) >= 2 * defaults.stop_timeout_s


def _environment(folder: Path) -> dict[str, str]:
    told = (shlex.split(line) for line in keys_of(UNIT.read_bytes())["Environment"])
    pairs = (word.partition("=") for words in told for word in words)
    return {name: value.replace("/var/lib", str(folder)) for name, _, value in pairs}


def _command(folder: Path) -> list[str]:
    """What the unit starts, with the example's settings on a free port."""
    file = folder / "server.toml"
    text = (FOLDER / "server.toml").read_text()
    file.write_text(text.replace("port = 8470", "port = 0") + 'bucket_url = ""\n')
    program, *words = shlex.split(_value("ExecStart"))
    installed = Path(sys.executable).with_name(Path(program).name)
    return [str(installed), *(str(file) if word.endswith(file.name) else word for word in words)]


@contextmanager
def _started(folder: Path, *prefix: str) -> Iterator[str]:
    """What the unit starts, in an otherwise empty environment; its address."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(PATIENCE_S)
        manager.bind(str(folder / "notify"))
        process = subprocess.Popen(
            [*prefix, *_command(folder)],
            env=_environment(folder) | {"NOTIFY_SOCKET": str(folder / "notify")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            assert manager.recv(100) == b"READY=1"
            yield process.stdout.readline().removeprefix("listening on ").strip()
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(PATIENCE_S)
            process.stdout.close()
        assert manager.recv(100) == b"STOPPING=1"
        assert code == 0


def _answers(address: str) -> bool:
    return requests.get(f"{address}/healthz", timeout=PATIENCE_S).ok


def test_what_it_starts_serves_with_its_variables_alone(tmp_path: Path) -> None:
    """Its database lies where the unit says, and the manager is told of start and stop."""
    with _started(tmp_path) as address:
        assert _answers(address)
    assert (tmp_path / "build-parity" / "server.db").exists()


def test_it_serves_where_no_memory_becomes_executable(tmp_path: Path) -> None:
    """By the kernel's own rule for it, where it is 6.3 or later, and without new privileges."""
    restrict = (
        "import ctypes, os, sys; prctl = ctypes.CDLL(None, use_errno=True).prctl;"
        " assert prctl(38, 1, 0, 0, 0) == 0;"  # PR_SET_NO_NEW_PRIVS
        " assert prctl(65, 1, 0, 0, 0) == 0 or ctypes.get_errno() == 22;"  # PR_SET_MDWE
        " os.execv(sys.argv[1], sys.argv[1:])"
    )
    with _started(tmp_path, sys.executable, "-c", restrict) as address:
        assert _answers(address)


@pytest.mark.strace
def test_it_makes_no_call_that_the_unit_forbids(tmp_path: Path) -> None:
    """From its start to its stop, with a request in between."""
    strace = shutil.which("strace")
    if strace is None:
        missing("strace is not installed")
    trace = tmp_path / "trace"
    with _started(tmp_path, str(strace), "-D", "-f", "-qq", "-o", str(trace)) as address:
        assert _answers(address)
    lines = trace.read_text().splitlines()
    calls = {found[1] for line in lines if (found := re.match(r"\d+ +(\w+)\(", line))}
    families = {found[0] for line in lines if (found := re.search(r"(?<=socket\()AF_\w+", line))}
    assert {"accept4", "fdatasync"} <= calls
    assert calls - _allowed() - BY_ROOT_ONLY == set()
    assert families <= set(_value("RestrictAddressFamilies").split())


def _allowed() -> set[str]:
    first, second = keys_of(UNIT.read_bytes())["SystemCallFilter"]
    assert second[0] == "~"
    return _calls_of(first.split()) - _calls_of(second[1:].split())


def _calls_of(names: Sequence[str]) -> set[str]:
    """The calls of some groups, which may hold other groups."""
    found: set[str] = set()
    for name in names:
        if name[0] != "@":
            found.add(name)
            continue
        said = _systemd_analyze("syscall-filter", "--no-pager", name).splitlines()[1:]
        inner = [line.strip() for line in said if line.strip()]
        found |= _calls_of([each for each in inner if each[0] != "#"])
    return found


def test_every_line_of_the_example_settings_is_taken(tmp_path: Path) -> None:
    """Those that stand there and those that are commented out."""
    text = re.sub(r"^# (?=\w+ = )", "", (FOLDER / "server.toml").read_text(), flags=re.MULTILINE)
    (tmp_path / "slack").write_text("https://hooks.example.com/services/T/B/secret")
    text = text.replace("/etc/build-parity/slack", str(tmp_path / "slack"))
    file = tmp_path / "server.toml"
    file.write_text(text)
    values = server_settings.load({}, file)
    assert (values.host, values.port) == (Settings().host, Settings().port)
    assert values.behind_proxy
    assert values.tls_cert == Path("/etc/build-parity/cert.pem")
