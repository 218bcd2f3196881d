"""The census: one file one install, one collector's failure its own, the order fixed."""

from collections.abc import Callable
from pathlib import Path, PurePath

import pytest

from agent import wire
from agent.discover import census, launcher, search_path
from agent.discover.census import Census
from agent.fingerprint import Fingerprints
from agent.host import Host
from agent.testing import RecordedHost, program_bytes

Take = Callable[[Host], Census]
Tree = Callable[..., RecordedHost]
PROGRAM = {"program": {"platform": "linux-x64", "version": "2.1.330"}}
PACKAGE = "lib/node_modules/@anthropic-ai/claude-code"


def _told(found: Census) -> list[tuple[str, str, str, bool]]:
    return [
        (each.install.method, each.install.place, each.install.state, each.install.counted)
        for each in found.installs
    ]


def test_a_program_that_no_method_knows_is_an_install_of_another_kind(
    tree: Tree, take: Take
) -> None:
    """What the shell starts counts, whoever put it there."""
    host = tree({"/opt/x/claude": PROGRAM, "/usr/local/bin/claude": {"link": "/opt/x/claude"}})
    found = take(host)
    assert _told(found) == [("other", "search-path", "ok", True)]
    assert found.installs[0].names == (PurePath("/usr/local/bin/claude"),)


def test_a_launcher_script_is_counted_and_not_examined(tree: Tree, take: Take) -> None:
    """A wrapper of the user's own says nothing of what it starts."""
    host = tree({"/usr/local/bin/claude": {"text": "#!/bin/sh\nexec x\n", "mode": "x"}})
    found = take(host)
    assert _told(found) == [("other", "search-path", "not-examined", True)]
    assert found.installs[0].install.reason == "the launcher is a script"


LAUNCHER = {"mode": "x", "text": '#!/bin/sh\nexec /opt/x/claude "$@"\n'}


def test_a_launcher_script_starts_the_program_that_it_names(tree: Tree, take: Take) -> None:
    """By bytes, whoever put that program there; the script is another name of it."""
    host = tree({"/opt/x/claude": PROGRAM, "/usr/local/bin/claude": LAUNCHER})
    found = take(host)
    assert _told(found) == [("other", "search-path", "ok", True)]
    assert found.installs[0].program == PurePath("/opt/x/claude")
    assert found.installs[0].names == (PurePath("/usr/local/bin/claude"),)
    assert found.problems == ()
    assert {PurePath("/opt/x/claude"), PurePath("/usr/local/bin/claude")} <= set(found.watch)


def test_a_launcher_script_of_a_known_copy_starts_that_copy(tree: Tree, take: Take) -> None:
    """In the native launcher's place, past the launcher of another copy; its words are told."""
    native = "/home/u/.local/share/claude/versions/2.1.330"
    script = f'#!/usr/bin/env bash\nexec {native} --bare "$@"\n'
    host = tree(
        {
            "/home/u/.profile": "PATH=~/.local/bin:$PATH",
            native: PROGRAM,
            "/home/u/.local/share/claude/versions/2.1.329": PROGRAM,
            "/home/u/.local/bin/claude": {"mode": "x", "text": script},
        }
    )
    found = take(host)
    assert _told(found) == [
        ("native", "versions", "ok", True),
        ("native", "versions", "ok", False),
    ]
    assert found.installs[0].names == (PurePath("/home/u/.local/bin/claude"),)
    assert found.problems == (wire.Problem("search_path", launcher.ADDS),)


def test_a_launcher_of_the_users_own_decides_what_counts(
    golden: Callable[[str], RecordedHost], take: Take
) -> None:
    """A script that holds an older version, with an alias to it; a link to a build elsewhere."""
    scripted = take(golden("search_path/linux"))
    assert [(one.install.claimed, one.install.counted) for one in scripted.installs] == [
        ("2.1.320", True),
        ("2.1.330", False),
    ]
    assert scripted.problems == (wire.Problem("search_path", search_path.ALIAS_ADDS),)
    linked = take(golden("search_path/darwin"))
    assert _told(linked) == [
        ("other", "search-path", "ok", True),
        ("native", "versions", "ok", False),
    ]
    assert linked.problems == ()
    on_windows = take(golden("search_path/win32"))
    assert _told(on_windows) == [
        ("other", "search-path", "ok", True),
        ("native", "launcher", "ok", False),
        ("native", "versions", "ok", False),
    ]
    assert on_windows.problems == ()


def test_a_copy_that_only_a_login_shell_starts_is_counted_too(tree: Tree, take: Take) -> None:
    """What a terminal starts, and what a remote login starts, must both be public."""
    native = "/home/u/.local/share/claude/versions/2.1.330"
    host = tree(
        {
            "/home/u/.profile": ". ~/.bashrc; PATH=~/.local/bin:$PATH",
            "/home/u/.bashrc": "PATH=~/n/bin:$PATH",
            native: PROGRAM,
            "/home/u/.local/bin/claude": {"link": native},
            f"/home/u/n/{PACKAGE}/bin/claude.exe": {
                "program": {"platform": "linux-x64", "version": "2.1.240"}
            },
            "/home/u/n/bin/claude": {"link": f"../{PACKAGE}/bin/claude.exe"},
        }
    )
    found = take(host)
    assert [(each.install.method, each.install.starts) for each in found.installs] == [
        ("native", (census.LOGIN,)),
        ("npm", (census.TERMINAL,)),
    ]


def test_one_file_under_two_methods_is_one_install(tree: Tree, take: Take) -> None:
    """A hard link of the native version in npm's place is not a second copy."""
    native = "/home/u/.local/share/claude/versions/2.1.330"
    host = tree({native: PROGRAM, f"/usr/local/{PACKAGE}/bin/claude.exe": {"same": native}})
    found = take(host)
    assert _told(found) == [("native", "versions", "ok", False)]
    assert len(found.installs[0].names) == 1


def test_a_phantom_npm_prefix_is_no_second_install(tree: Tree, take: Take) -> None:
    """An npm prefix of ~/.local makes the native launcher no package."""
    host = tree(
        {
            "/home/u/.npmrc": "prefix=~/.local\n",
            "/home/u/.profile": "PATH=~/.local/bin:$PATH",
            "/home/u/.local/share/claude/versions/2.1.330": PROGRAM,
            "/home/u/.local/bin/claude": {"link": "../share/claude/versions/2.1.330"},
        }
    )
    assert _told(take(host)) == [("native", "versions", "ok", True)]


def test_an_npm_copy_before_the_native_one_shadows_it(tree: Tree, take: Take) -> None:
    """The first on PATH counts, the newer one behind it is at rest."""
    older = {"program": {"platform": "linux-x64", "version": "2.1.197"}}
    host = tree(
        {
            "/home/u/.profile": "PATH=~/n/bin:~/.local/bin:$PATH",
            f"/home/u/n/{PACKAGE}/bin/claude.exe": older,
            "/home/u/n/bin/claude": {"link": f"../{PACKAGE}/bin/claude.exe"},
            "/home/u/.local/share/claude/versions/2.1.330": PROGRAM,
            "/home/u/.local/bin/claude": {"link": "../share/claude/versions/2.1.330"},
        }
    )
    assert _told(take(host)) == [
        ("npm", "global", "ok", True),
        ("native", "versions", "ok", False),
    ]


def test_what_does_not_fit_is_counted_and_not_hashed(tree: Tree, take: Take) -> None:
    """Forty versions kept by the installer: 32 told, the counted one among them."""
    versions = {f"/home/u/.local/share/claude/versions/2.1.{at}": PROGRAM for at in range(40)}
    launcher = {"/home/u/.local/bin/claude": {"link": "../share/claude/versions/2.1.39"}}
    host = tree({**versions, **launcher, "/home/u/.profile": "PATH=~/.local/bin:$PATH"})
    found = take(host)
    assert (len(found.installs), found.more) == (wire.INSTALLS_MAX, 8)
    assert found.installs[0].install.claimed == "2.1.39"
    assert found.installs[0].install.counted


EXTENSION = ".vscode/extensions/anthropic.claude-code-2.1.330-linux-x64/resources/native-binary"
SDK = "lib/python3.11/site-packages/claude_agent_sdk/_bundled/claude"


def test_a_file_that_several_surfaces_start_has_them_all(tree: Tree, take: Take) -> None:
    """An extension's program that PATH and an SDK's place lead to is one install."""
    extension = f"/home/u/{EXTENSION}/claude"
    host = tree(
        {
            "/home/u/.profile": "PATH=~/.local/bin:$PATH",
            extension: PROGRAM,
            "/home/u/.local/bin/claude": {"link": extension},
            f"/home/u/.venv/{SDK}": {"link": extension},
        }
    )
    found = take(host)
    assert _told(found) == [("editor_extension", "vscode", "ok", True)]
    assert found.installs[0].install.starts == ("editor", "sdk", "terminal")
    assert found.installs[0].names == (PurePath(f"/home/u/.venv/{SDK}"),)


def test_a_link_in_an_extension_is_the_copy_that_it_leads_to(tree: Tree, take: Take) -> None:
    """Who replaced the extension's program by the native one has one install, and its updater."""
    native = "/home/u/.local/share/claude/versions/2.1.330"
    host = tree({native: PROGRAM, f"/home/u/{EXTENSION}/claude": {"link": native}})
    found = take(host)
    assert _told(found) == [("native", "versions", "ok", True)]
    assert found.installs[0].install.starts == ("editor",)


def test_what_a_login_starts_beside_an_editor_is_told(tree: Tree, take: Take) -> None:
    """A copy that a terminal does not start, but a remote login and an editor do."""
    extension = f"/home/u/{EXTENSION}/claude"
    other = {"program": {"platform": "linux-x64", "version": "2.1.240"}}
    host = tree(
        {
            "/home/u/.profile": ". ~/.bashrc; PATH=~/e:$PATH",
            "/home/u/.bashrc": "PATH=~/n:$PATH",
            extension: PROGRAM,
            "/home/u/e/claude": {"link": extension},
            "/home/u/n/claude": other,
        }
    )
    starts = {each.install.method: each.install.starts for each in take(host).installs}
    assert starts == {
        "editor_extension": ("editor", census.LOGIN),
        "other": (census.TERMINAL,),
    }


def test_more_started_copies_than_can_be_told_are_a_problem(tree: Tree, take: Take) -> None:
    """Forty environments with an SDK each: what the terminal starts stays, and the rest is told."""
    pyenv = "/home/u/.pyenv/versions"
    files: dict[str, object] = {f"{pyenv}/3.{at}/{SDK}": PROGRAM for at in range(40)}
    host = tree({**files, "/usr/local/bin/claude": PROGRAM})
    found = take(host)
    assert (len(found.installs), found.more) == (wire.INSTALLS_MAX, 9)
    assert [each.install.starts for each in found.installs].count((census.TERMINAL,)) == 1
    assert found.problems == (census.LEFT_OUT,)


class _BrokenDisk(RecordedHost):
    """A recorded host on which one folder fails as no method expects."""

    def listdir(self, path: PurePath) -> tuple[str, ...]:
        if path.parts[-2:] == ("claude", "versions"):
            raise MemoryError("/home/u/secret")
        return super().listdir(path)


class _BrokenShell(RecordedHost):
    """A recorded host whose start files fail as nobody expects."""

    def read(self, path: PurePath, *, max_bytes: int) -> bytes:
        if path.name == ".bashrc":
            raise MemoryError("/home/u/secret")
        return super().read(path, max_bytes=max_bytes)


@pytest.mark.parametrize(
    ("kind", "collector", "places"),
    [(_BrokenDisk, "native", ["global"]), (_BrokenShell, "search_path", ["versions", "global"])],
)
def test_a_collector_fails_alone(
    take: Take, kind: type[RecordedHost], collector: str, places: list[str]
) -> None:
    """Its name and the kind of failure are told, without the text that could hold a path."""
    host = kind(
        {
            "origin": {"kind": "facts"},
            "host": {"system": "linux", "arch": "x64", "home": "/home/u", "shell": "bash"},
            "files": {
                "/home/u/.bashrc": {"text": ""},
                "/home/u/.local/share/claude/versions/2.1.330": PROGRAM,
                f"/usr/local/{PACKAGE}/bin/claude.exe": PROGRAM,
            },
        }
    )
    found = take(host)
    assert found.problems == (wire.Problem(collector, "it failed: MemoryError"),)
    assert [each.install.place for each in found.installs] == places


def test_progress_is_told_for_what_is_hashed(
    tmp_path: Path, live: Callable[[Path], Host], fingerprints: Fingerprints
) -> None:
    """Bytes done and bytes in all, of each program."""
    versions = tmp_path / "home/.local/share/claude/versions"
    versions.mkdir(parents=True)
    program = versions / "2.1.330"
    program.write_bytes(program_bytes("linux-x64", "2.1.330").ljust(30_000_000, b"\0"))
    program.chmod(0o755)
    told: list[tuple[int, int]] = []
    census.take(live(tmp_path / "home"), fingerprints, lambda *at: told.append(at))
    assert told
    assert {total for _, total in told} == {30_000_000}


def test_the_programs_and_their_links_are_watched(tree: Tree, take: Take) -> None:
    """A program replaced in place changes its own file only."""
    host = tree({"/opt/x/claude": PROGRAM, "/usr/local/bin/claude": {"link": "/opt/x/claude"}})
    watch = take(host).watch
    assert {PurePath("/opt/x/claude"), PurePath("/usr/local/bin/claude")} <= set(watch)
    assert len(set(watch)) == len(watch)
