"""The contract of every install method: hostile homes give problems, never exceptions."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.discover import methods, search_path
from agent.discover.census import Census
from agent.discover.interface import Copy, Found, Method
from agent.host import Host
from agent.testing import RecordedHost

PACKAGE = "lib/node_modules/@anthropic-ai/claude-code"
HOSTS = Path(__file__).parents[2] / "golden" / "hosts"
NAMES = [method.name for method in methods()]
BROUGHT = (".vscode", ".config", ".venv", ".pyenv")
BROUGHT_FILES = (
    ".vscode/extensions/.obsolete",
    ".vscode/extensions/extensions.json",
    ".vscode/extensions/anthropic.claude-code-2.1.330-linux-x64/resources/native-binary/claude",
    ".config/Claude/claude-code/2.1.330/.verified",
    ".config/Claude/claude-code/2.1.330/claude",
    ".venv/lib/python3.11/site-packages/claude_agent_sdk/_bundled/claude",
    ".venv/lib/python3.11/site-packages/claude_agent_sdk/_bundled/claude.version",
)
MANAGED = (".bun", ".yarn", ".claude", ".asdf", ".nix-profile")
IN_MODULES = "node_modules/@anthropic-ai/claude-code"
MANAGED_FILES = (
    ".bun/bin/claude",
    f".bun/install/global/{IN_MODULES}/package.json",
    f".bun/install/global/{IN_MODULES}/bin/claude.exe",
    f".config/yarn/global/{IN_MODULES}/bin/claude.exe",
    ".claude/local/claude",
    f".claude/local/{IN_MODULES}/bin/claude.exe",
    ".local/share/pnpm/claude",
    f".local/share/pnpm/global/5/{IN_MODULES}/bin/claude.exe",
    ".local/share/mise/installs/claude/2.1.330/claude",
    ".asdf/installs/claude/2.1.330/bin/claude",
    ".nix-profile/bin/claude",
    ".local/state/nix/profile/bin/claude",
)
Take = Callable[[Host], Census]


@pytest.fixture(params=NAMES)
def method(request: pytest.FixtureRequest) -> Method:
    """Each method of the package."""
    return next(method for method in methods() if method.name == request.param)


def _aged(home: Path) -> list[Path]:
    """All paths of a home, with access times that any ordinary reading would renew."""
    paths = [home, *sorted(home.rglob("*"))]
    for path in paths:
        os.utime(path, (1_000_000_000, 1_000_000_000), follow_symlinks=False)
    return paths


def _facts(path: Path) -> tuple[object, ...]:
    found = path.lstat()
    # The kernel notes when a link was followed, and offers no way round it.
    accessed = 0 if path.is_symlink() else found.st_atime_ns
    return (path, found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns, accessed)


def _loops(home: Path) -> None:
    for name in (".nvm", ".local", ".volta", ".profile", ".npmrc", ".bashrc", *BROUGHT, *MANAGED):
        (home / name).symlink_to(home / name)


def _files_for_folders(home: Path) -> None:
    for name in (".nvm", ".local", ".volta", ".npm-global", *BROUGHT, *MANAGED):
        (home / name).write_bytes(b"\xff\xfe")


def _folders_for_files(home: Path) -> None:
    for name in (
        ".profile",
        ".npmrc",
        ".bashrc",
        ".local/bin/claude",
        ".local/share/claude/versions/2.1.330",
        f".npm-global/{PACKAGE}/package.json",
        f".npm-global/{PACKAGE}/bin/claude.exe",
        *BROUGHT_FILES,
        *MANAGED_FILES,
    ):
        (home / name).mkdir(parents=True)


def _pipes(home: Path) -> None:
    for name in (
        ".profile",
        ".npmrc",
        ".local/bin/claude",
        ".local/share/claude/versions/2.1.330",
        f".npm-global/{PACKAGE}/package.json",
        f".npm-global/{PACKAGE}/bin/claude.exe",
        *BROUGHT_FILES,
        *MANAGED_FILES,
    ):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(home / name)


def _bad_bytes(home: Path) -> None:
    (home / f".npm-global/{PACKAGE}/bin").mkdir(parents=True)
    bad = b"\xff\x00\xc3prefix=\xff\nPATH=\xff:$PATH\n"
    for name in (".profile", ".npmrc", f".npm-global/{PACKAGE}/package.json"):
        (home / name).write_bytes(bad)
    (home / f".npm-global/{PACKAGE}/bin/claude.exe").write_bytes(bad)
    for name in (*BROUGHT_FILES, *MANAGED_FILES):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(bad)
    os.mkdir(os.fsencode(home) + b"/.npm-global/lib/node_modules/@anthropic-ai/claude-code-\xff")  # noqa: PTH102


@pytest.mark.parametrize(
    "spoil", [_loops, _files_for_folders, _folders_for_files, _pipes, _bad_bytes]
)
def test_a_hostile_home_gives_problems_and_is_left_as_it_was(
    tmp_path: Path, live: Callable[[Path], Host], take: Take, spoil: Callable[[Path], None]
) -> None:
    """Nothing is raised, nothing waits, nothing is written, no access time is changed."""
    home = tmp_path / "home"
    home.mkdir()
    spoil(home)
    paths = _aged(home)
    before = [_facts(path) for path in paths]
    found = take(live(home))
    assert [_facts(path) for path in paths] == before
    assert [home, *sorted(home.rglob("*"))] == paths
    assert not [each.reason for each in found.problems if "failed" in each.reason]
    assert all("/" not in each.reason for each in found.problems)


def test_a_method_is_named_as_its_module_and_finds_nothing_in_an_empty_home(
    method: Method, tree: Callable[..., RecordedHost]
) -> None:
    """An empty machine has no copy and no problem, whatever the system."""
    for system in ("darwin", "linux", "win32"):
        host = tree({}, system=system)
        found = method.find(search_path.read(host).site(host))
        assert isinstance(found, Found)
        assert (found.copies, found.problems) == ((), ())


def test_what_a_method_finds_is_of_the_promised_types(
    method: Method, golden: Callable[[str], RecordedHost]
) -> None:
    """Copies bear the method's own name, and absolute paths of the host's style."""
    for tree in sorted(HOSTS.glob("*/*.toml")):
        host = golden(f"{tree.parent.name}/{tree.stem}")
        found = method.find(search_path.read(host).site(host))
        for copy in found.copies:
            assert isinstance(copy, Copy)
            assert copy.method == method.name
            assert all(isinstance(path, type(host.home)) for path in (copy.program, *copy.names))
            assert copy.program.is_absolute()


def test_an_unreadable_folder_is_a_problem_of_one_method(
    tree: Callable[..., RecordedHost], take: Take
) -> None:
    """The other methods, and the other folders, are still looked into."""
    host = tree(
        {
            "/home/u/.nvm/versions/node": {"folder": True, "unreadable": True},
            "/home/u/.local/share/claude/versions/2.1.330": {
                "program": {"platform": "linux-x64", "version": "2.1.330"}
            },
        }
    )
    found = take(host)
    assert [each.install.claimed for each in found.installs] == ["2.1.330"]
    assert [(each.collector, each.reason) for each in found.problems] == [
        ("npm", "the Node.js versions of nvm: it may not be read")
    ]


PIECES = [
    "PATH=", "$PATH", ":/x", "path=(", ")", "(", "{", "}", "$(", "`", '"', "'", "\\", "\n", " ",
    ";", "&&", "||", "|", "if ", "then ", "fi", "case x in ", "esac", ";;", "for i in ", "do ",
    "done", "f()", "f ", "function ", "eval ", "source ~/.bashrc", "[[ ", " ]]", "[ ", " ]", "((",
    "${x", "%%*", "//", "#", "~", "<<EOF", ">", "!", "return", "-n", "=", "*", "?", "\x00", "é",
]  # fmt: skip


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    pieces=st.lists(st.sampled_from(PIECES), max_size=60),
    shell=st.sampled_from(["bash", "zsh", "fish", "tcsh"]),
)
def test_any_start_file_gives_an_answer(
    tree: Callable[..., RecordedHost], pieces: list[str], shell: str
) -> None:
    """However torn a start file is, the shell's answer is a value."""
    text = "".join(pieces)
    files = {f"/home/u/{name}": text for name in (".bashrc", ".zshrc", ".config/fish/config.fish")}
    found = search_path.read(tree(files, login=shell))
    assert all(entry.is_absolute() for entry in found.path)
