"""Global packages, as pnpm, bun and yarn themselves install them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.discover.census import Census
from agent.host import Host

Take = Callable[[Host], Census]
GlobalHome = Callable[[str, str, Path], Path]
Live = Callable[[Path], Host]


def _told(found: Census) -> list[tuple[str, str, str | None, str, bool]]:
    told = (each.install for each in found.installs)
    return [(one.method, one.place, one.claimed, one.state, one.counted) for one in told]


@pytest.mark.real
@pytest.mark.origin("pnpm", "real")
def test_pnpm_leaves_the_placeholder_and_its_launcher_leads_to_it(
    tmp_path: Path, global_home: GlobalHome, live: Live, take: Take
) -> None:
    """The script on PATH is followed into the linked package; the payload is at rest."""
    home = global_home("pnpm@10", "2.1.330", tmp_path / "home")
    (home / ".profile").write_text("PATH=~/.local/share/pnpm:$PATH\n")
    found = take(live(home))
    assert _told(found) == [
        ("pnpm", "global", "2.1.330", "stub", True),
        ("pnpm", "payload", "2.1.330", "ok", False),
    ]
    assert found.installs[0].names == (home / ".local/share/pnpm/claude",)
    assert found.problems == ()


@pytest.mark.real
@pytest.mark.origin("bun", "real")
def test_bun_starts_the_payload_and_leaves_the_placeholder_at_rest(
    tmp_path: Path, global_home: GlobalHome, live: Live, take: Take
) -> None:
    """What bun links is told by its bytes, not by the package's own program."""
    home = global_home("bun@1.4", "2.1.330", tmp_path / "home")
    (home / ".profile").write_text("PATH=~/.bun/bin:$PATH\n")
    found = take(live(home))
    assert _told(found) == [
        ("bun", "payload", "2.1.330", "ok", True),
        ("bun", "global", "2.1.330", "stub", False),
    ]
    build = found.installs[0].install.build
    assert build is not None
    assert build.commit == "8c664bec500172ded713624f9ecac0eb7e714829"
    assert found.installs[0].names == (home / ".bun/bin/claude",)


@pytest.mark.real
@pytest.mark.origin("yarn", "real")
def test_yarn_links_the_package_of_its_global_folder(
    tmp_path: Path, global_home: GlobalHome, live: Live, take: Take
) -> None:
    """A release of one small file: yarn fetches the payloads of all systems of a newer one."""
    home = global_home("yarn@1", "2.1.112", tmp_path / "home")
    (home / ".profile").write_text("PATH=~/.yarn/bin:$PATH\n")
    found = take(live(home))
    assert _told(found) == [("yarn", "global", "2.1.112", "ok", True)]
    assert found.installs[0].names == (home / ".yarn/bin/claude",)
    build = found.installs[0].install.build
    assert build is not None
    assert (build.form, build.version) == ("js", "2.1.112")
