"""The systemd user unit."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agent.service import systemd
from agent.service.launch import Launch
from tests.agent.service.units import keys_of, start_of
from tests.conftest import missing

NAMESPACES = {
    "InaccessiblePaths",
    "PrivateDevices",
    "PrivateMounts",
    "PrivateTmp",
    "PrivateUsers",
    "ProtectControlGroups",
    "ProtectHome",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "ProtectProc",
    "ProtectSystem",
    "ReadOnlyPaths",
    "ReadWritePaths",
}
"""What puts a user's service into a user namespace (systemd.exec(5)), or hides processes."""

MIB = 1_048_576


def test_systemd_itself_finds_nothing_wrong_with_it(launch: Launch, tmp_path: Path) -> None:
    """It knows every key and value, and the program is there."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        missing("systemd-analyze is not installed")
        return
    program = tmp_path / "a b" / "parity-agent"
    program.parent.mkdir()
    program.touch(mode=0o755)
    unit = systemd.unit(replace(launch, command=(str(program),)))
    unit.file.parent.mkdir(parents=True)
    unit.file.write_bytes(unit.body)
    done = subprocess.run(
        [analyze, "--user", "--man=no", "verify", unit.file],
        env={"PATH": "/usr/bin:/bin", "HOME": str(launch.home), "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_it_lies_where_the_users_manager_looks(launch: Launch) -> None:
    """Below the configuration folder, wherever that is (systemd.unit(5))."""
    assert systemd.unit(launch).file == launch.home / ".config/systemd/user/parity-agent.service"
    moved = systemd.unit(replace(launch, config_home=Path("/conf")))
    assert moved.file == Path("/conf/systemd/user/parity-agent.service")


def test_it_begins_at_sign_in_without_being_asked(launch: Launch) -> None:
    """By the link that enabling it makes (systemd.unit(5), "WantedBy")."""
    unit = systemd.unit(launch)
    assert keys_of(unit.body)["WantedBy"] == ["default.target"]
    assert unit.link == unit.file.parent / "default.target.wants" / unit.file.name


def test_nothing_hides_the_users_processes_from_it(launch: Launch) -> None:
    """In a user namespace the kernel tells of none outside what it executes."""
    assert not NAMESPACES & keys_of(systemd.unit(launch).body).keys()


def test_its_limits_leave_room_for_what_the_agent_needs(launch: Launch) -> None:
    """48 MiB at rest, and what is read while a program is hashed."""
    keys = keys_of(systemd.unit(launch).body)
    high, most = (
        int(keys[name][0].removesuffix("M")) * MIB for name in ("MemoryHigh", "MemoryMax")
    )
    assert 2 * 48 * MIB <= high < most
    assert keys["Restart"] == ["on-failure"]


@given(st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "), min_size=1))
def test_every_value_arrives_as_it_was(value: str) -> None:
    """Whatever it holds of quotation marks, percent and dollar signs and backslashes."""
    launch = Launch(
        (f"/opt/{value}",), {"PARITY_AGENT_LABEL": value}, Path("/home/a"), Path("/home/a/state")
    )
    start = start_of(systemd.unit(launch))
    assert start.command == [f"/opt/{value}", "run"]
    assert start.environment == {"PARITY_AGENT_LABEL": value}
