"""The native installer's copies, on recorded Macs and Windows laptops and on real files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.discover.census import Census
from agent.host import Host
from agent.testing import RecordedHost, program_bytes

Take = Callable[[Host], Census]


def _told(found: Census) -> list[tuple[str, str | None, bool]]:
    return [
        (each.install.place, each.install.claimed, each.install.counted) for each in found.installs
    ]


def test_a_mac_tells_versions_bundle_and_background_copy_but_no_leftovers(
    golden: Callable[[str], RecordedHost], take: Take
) -> None:
    """Every program of the layout is told once; placeholders and temporary files are not."""
    found = take(golden("native/darwin"))
    assert _told(found) == [
        ("versions", "2.1.330", True),
        ("background", None, False),
        ("bundle", "2.1.330", False),
        ("versions", "2.1.329", False),
    ]
    forms = [each.install.build.form for each in found.installs if each.install.build]
    assert forms == ["binary", "bundle", "bundle", "binary"]
    assert found.problems == ()


def test_a_windows_launcher_is_a_copy_of_its_own(
    golden: Callable[[str], RecordedHost], take: Take
) -> None:
    """The launcher counts and the versions file rests, with the same bytes in both."""
    found = take(golden("native/win32"))
    assert _told(found) == [("launcher", None, True), ("versions", "2.1.330", False)]
    first, second = (each.install.build for each in found.installs)
    assert first is not None
    assert first == second
    assert first.platform == "win32-x64"


@pytest.fixture
def native_home(tmp_path: Path) -> Path:
    """A Linux home with two versions and the launcher on the newer one."""
    home = tmp_path / "home"
    versions = home / ".local/share/claude/versions"
    versions.mkdir(parents=True)
    for version in ("2.1.329", "2.1.330"):
        (versions / version).write_bytes(program_bytes("linux-x64", version))
        (versions / version).chmod(0o755)
    (home / ".local/bin").mkdir()
    (home / ".local/bin/claude").symlink_to(versions / "2.1.330")
    (home / ".profile").write_text('PATH="$HOME/.local/bin:$PATH"\n')
    return home


def test_the_launcher_is_a_name_of_its_version(
    native_home: Path, live: Callable[[Path], Host], take: Take
) -> None:
    """A link is no install: it is one more name of the file it leads to."""
    found = take(live(native_home))
    assert _told(found) == [("versions", "2.1.330", True), ("versions", "2.1.329", False)]
    assert found.installs[0].names == (native_home / ".local/bin/claude",)


def test_a_launcher_that_leads_nowhere_starts_nothing(
    native_home: Path, live: Callable[[Path], Host], take: Take
) -> None:
    """The old version stays at rest when the file behind the launcher is gone."""
    (native_home / ".local/share/claude/versions/2.1.330").unlink()
    assert _told(take(live(native_home))) == [("versions", "2.1.329", False)]


def test_a_version_that_nobody_may_execute_is_a_leftover(
    native_home: Path, live: Callable[[Path], Host], take: Take
) -> None:
    """A download that was not finished has no execute permission."""
    (native_home / ".local/share/claude/versions/2.1.329").chmod(0o644)
    assert _told(take(live(native_home))) == [("versions", "2.1.330", True)]


def test_a_data_folder_elsewhere_is_found_through_the_start_files(
    native_home: Path, live: Callable[[Path], Host], take: Take
) -> None:
    """XDG_DATA_HOME of the user's shell moves the versions folder."""
    (native_home / ".local/share").rename(native_home / "data")
    (native_home / ".local/bin/claude").unlink()
    with (native_home / ".profile").open("a") as profile:
        profile.write("export XDG_DATA_HOME=~/data\n")
    told = _told(take(live(native_home)))
    assert told == [("versions", "2.1.329", False), ("versions", "2.1.330", False)]


def test_a_data_folder_elsewhere_is_found_through_the_launcher(
    native_home: Path, live: Callable[[Path], Host], take: Take
) -> None:
    """Where no variable names the folder any more, the launcher still does."""
    (native_home / ".local/share").rename(native_home / "data")
    launcher = native_home / ".local/bin/claude"
    launcher.unlink()
    launcher.symlink_to(native_home / "data/claude/versions/2.1.330")
    assert [counted for _, _, counted in _told(take(live(native_home)))] == [True, False]
