"""The system's package managers: dpkg itself, and recorded databases of apk, pacman and rpm."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent import wire
from agent.discover import launcher, system_package
from agent.discover.census import Census
from agent.discover.interface import Site
from agent.host import Host
from agent.testing import RecordedHost
from tests.conftest import PACKAGE_IN_PREFIX, ClaudePackage, missing

Take = Callable[[Host], Census]
Golden = Callable[[str], RecordedHost]
Tree = Callable[..., RecordedHost]
PROGRAM = {"program": {"platform": "linux-x64", "version": "2.1.330"}}
# facts 7.1
SHA256 = "f390eaa0814e6a1bff74cbb47acb74cb9c89d30ced809fe0af5af00c7bfe8ebb"
DPKG_TIMEOUT_S = 300
CONTROL = """Package: claude-code
Version: 2.1.330-1
Architecture: {arch}
Maintainer: Build Parity tests <tests@example.invalid>
Description: Claude Code, packed for a test
"""


def _told(found: Census) -> list[tuple[str, str, str | None, str, bool]]:
    told = (each.install for each in found.installs)
    return [(one.method, one.place, one.claimed, one.state, one.counted) for one in told]


def _run(*command: str | Path) -> str:
    done = subprocess.run(
        command, capture_output=True, check=False, text=True, timeout=DPKG_TIMEOUT_S
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _installed(root: Path, program: Path, work: Path) -> None:
    """A package around the program, made by dpkg-deb and installed by dpkg below a root."""
    inside = work / "package"
    (inside / "DEBIAN").mkdir(parents=True)
    arch = _run("dpkg", "--print-architecture").strip()
    (inside / "DEBIAN" / "control").write_text(CONTROL.format(arch=arch))
    (inside / "usr/lib/claude-code").mkdir(parents=True)
    (inside / "usr/bin").mkdir()
    os.link(program, inside / "usr/lib/claude-code/claude")
    (inside / "usr/bin/claude").symlink_to("../lib/claude-code/claude")
    _run("dpkg-deb", "-Znone", "--root-owner-group", "--build", inside, work / "claude-code.deb")
    database = root / "var/lib/dpkg"
    for folder in ("info", "updates", "triggers"):
        (database / folder).mkdir(parents=True)
    (database / "status").touch()
    force = "--force-not-root,unsafe-io,script-chrootless,bad-path"
    _run("dpkg", f"--root={root}", force, "--install", work / "claude-code.deb")
    (work / "claude-code.deb").unlink()


@pytest.mark.real
@pytest.mark.origin("system_package", "bytes")
def test_dpkgs_package_is_found_with_its_version_and_bytes(
    tmp_path: Path, live: Callable[[Path], Host], take: Take, claude_package: ClaudePackage
) -> None:
    """The real program in a real package: its link on PATH counts, its bytes are public."""
    if not (shutil.which("dpkg") and shutil.which("dpkg-deb")):
        missing("dpkg is not installed: it is needed for a real package")
    (tmp_path / "home").mkdir()
    host = live(tmp_path / "home")
    program = claude_package("2.1.330") / PACKAGE_IN_PREFIX / "bin/claude.exe"
    root = tmp_path / "root"
    _installed(root, program, tmp_path / "work")
    found = take(host)
    assert _told(found) == [("system_package", "dpkg", "2.1.330", "ok", True)]
    assert found.problems == ()
    install = found.installs[0]
    assert install.program == root / "usr/lib/claude-code/claude"
    assert install.names == (root / "usr/bin/claude",)
    assert install.install.build is not None
    assert install.install.build.sha256 == SHA256
    assert root / "var/lib/dpkg/info/claude-code.list" in found.watch
    # A program of hundreds of megabytes is not left behind.
    install.program.unlink()


def test_apks_database_names_the_program(golden: Golden, take: Take) -> None:
    """Of the one package alone; its revision is no part of the version."""
    found = take(golden("system_package/linux-apk"))
    assert _told(found) == [("system_package", "apk", "2.1.330", "ok", True)]
    assert found.problems == ()


def test_a_third_partys_package_is_followed_through_its_launcher(
    golden: Golden, take: Take
) -> None:
    """The script is a name of the program, and packagers turn updates off: no problem."""
    found = take(golden("system_package/linux-pacman"))
    assert _told(found) == [("system_package", "pacman", "2.1.330", "ok", True)]
    assert found.installs[0].names == (PurePosixPath("/usr/bin/claude"),)
    assert found.problems == ()


def test_a_package_that_changes_behaviour_is_a_problem(tree: Tree, take: Take) -> None:
    """What a packager's launcher adds is told, as it is of a user's own."""
    script = '#!/bin/sh\nexec /opt/claude-code/claude --bare "$@"\n'
    host = tree(
        {
            "/lib/apk/db/installed": (
                "C:Q\nP:claude-code\nV:1:2.1.330\nF:opt/claude-code\nR:claude\nF:usr/bin\nR:claude\n"
            ),
            "/opt/claude-code/claude": PROGRAM,
            "/usr/bin/claude": {"text": script, "mode": "x"},
        }
    )
    found = take(host)
    assert _told(found) == [("system_package", "apk", "2.1.330", "ok", True)]
    assert found.problems == (wire.Problem("system_package", launcher.ADDS),)


def test_where_rpm_rules_a_systems_program_is_taken_for_a_packages(
    golden: Golden, take: Take
) -> None:
    """Its database is not asked, so nothing claims a version."""
    found = take(golden("system_package/linux-rpm"))
    assert _told(found) == [("system_package", "rpm", None, "ok", True)]
    assert found.installs[0].names == (PurePosixPath("/usr/bin/claude"),)


RPM = {"/var/lib/rpm/Packages.db": "rpm"}
# A version manager's folder for all users, which it does not look into by itself.
SHARED = "/opt/mise/installs/claude/2.1.330/claude"
NPM = "/usr/lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe"


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"/usr/local/bin/claude": PROGRAM}, ("other", "search-path")),
        ({NPM: PROGRAM, "/usr/bin/claude": {"link": NPM}}, ("npm", "global")),
        (
            {"/usr/bin/claude": {"link": "/home/u/x"}, "/home/u/x": PROGRAM},
            ("other", "search-path"),
        ),
        ({SHARED: PROGRAM, "/usr/bin/claude": {"link": SHARED}}, ("other", "search-path")),
        ({"/var/lib/dpkg/status": "", "/usr/bin/claude": PROGRAM}, ("other", "search-path")),
        ({"/usr/bin/claude": PROGRAM}, ("system_package", "rpm")),
    ],
)
def test_what_is_no_package_of_rpms_is_not_taken_for_one(
    tree: Tree, take: Take, files: dict[str, object], told: tuple[str, str]
) -> None:
    """A package of npm's, what lies elsewhere, and a system of another manager."""
    (only,) = take(tree({**RPM, **files})).installs
    assert (only.install.method, only.install.place) == told


@pytest.mark.parametrize(
    ("version", "claimed"),
    [("2.1.330", "2.1.330"), ("1:2.1.330-2+b1", "2.1.330"), ("2.1.330.4", None), ("git", None)],
)
def test_a_packagers_additions_are_no_part_of_the_version(
    tree: Tree, take: Take, version: str, claimed: str | None
) -> None:
    """An epoch before, a revision behind; another form claims nothing."""
    host = tree(
        {
            "/var/lib/dpkg/info/claude-code:amd64.list": "/.\n/usr/bin/claude\n",
            "/var/lib/dpkg/status": (
                "Package: claude-code-extra\nVersion: 9.9.9\n\n"
                f"Package: claude-code\nStatus: install ok installed\nVersion: {version}\n\n"
                "Package: zsh\nVersion: 5.9\n"
            ),
            "/usr/bin/claude": PROGRAM,
        }
    )
    found = take(host)
    assert _told(found) == [("system_package", "dpkg", claimed, "ok", True)]
    assert found.problems == ()


def test_a_package_that_was_removed_is_no_copy(tree: Tree, take: Take) -> None:
    """Lists are kept by dpkg for packages whose settings alone are left."""
    files = {
        "/var/lib/dpkg/info/claude-code.list": "/etc/claude-code.conf\n",
        "/var/lib/dpkg/status": "Package: claude-code\nVersion: 2.1.330\n",
    }
    found = take(tree(files))
    assert (found.installs, found.problems) == ((), ())


PACMAN = "/var/lib/pacman/local/claude-code-2.1.330-1"
LIST = {"/var/lib/dpkg/info/claude-code.list": "/usr/bin/claude\n", "/usr/bin/claude": PROGRAM}


@pytest.mark.parametrize(
    "files",
    [
        {"/var/lib/dpkg/info/claude-code.list": ""},
        {"/var/lib/dpkg/info/claude-code.list": "\xff\x00"},
        {**LIST},
        {**LIST, "/var/lib/dpkg/status": "no paragraph"},
        {"/lib/apk/db/installed": "no database"},
        {f"{PACMAN}/desc": "", f"{PACMAN}/files": "%FILES%\nusr/bin/claude\n"},
        {f"{PACMAN}/desc": "%NAME%\nclaude-code\n\n%VERSION%\n2.1.330-1\n"},
    ],
)
def test_a_damaged_database_is_a_problem(tree: Tree, take: Take, files: dict[str, object]) -> None:
    """It may have named a copy, or its version."""
    problem = wire.Problem("system_package", system_package.DAMAGED)
    assert problem in take(tree(files)).problems


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"text": "x" * (system_package.DATABASE_MAX_BYTES + 1)}, "it is too big"),
        ({"text": "", "unreadable": True}, "it may not be read"),
        ({"folder": True}, "it is not a regular file"),
    ],
)
def test_a_database_that_cannot_be_read_is_a_problem(
    tree: Tree, take: Take, entry: dict[str, object], reason: str
) -> None:
    """With the reason, without a path."""
    found = take(tree({"/lib/apk/db/installed": entry}))
    assert found.problems == (wire.Problem("system_package", f"the package database: {reason}"),)


PIECES = [
    "P:claude-code\n", "V:2.1.330\n", "F:usr/bin\n", "R:claude\n", "Package: claude-code\n",
    "Version: 2.1.330\n", "%FILES%\n", "%VERSION%\n", "usr/bin/claude\n", "/usr/bin/claude\n",
    "\n", "\x00", ":", "/../", "é", " ",
]  # fmt: skip


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=30))
def test_any_database_gives_an_answer(tree: Tree, pieces: list[str]) -> None:
    """However torn it is, it names the one program that is there, or none."""
    text = "".join(pieces)
    databases = (
        "/lib/apk/db/installed",
        "/var/lib/dpkg/info/claude-code.list",
        "/var/lib/dpkg/status",
        f"{PACMAN}/desc",
        f"{PACMAN}/files",
    )
    host = tree({"/usr/bin/claude": PROGRAM, **dict.fromkeys(databases, text)})
    found = system_package.find(Site(host))
    assert {copy.program for copy in found.copies} <= {PurePosixPath("/usr/bin/claude")}
    assert {copy.claimed for copy in found.copies} <= {"2.1.330", None}
