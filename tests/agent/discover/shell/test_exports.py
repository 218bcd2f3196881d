"""What a login shell hands on to programs, as its start files say."""

from collections.abc import Callable
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.discover.shell.start_files import handed_on
from agent.testing import RecordedHost

HOME = "/home/ann"
_FISH = f"{HOME}/.config/fish"
_RC = {"bash": f"{HOME}/.bashrc", "fish": f"{_FISH}/config.fish"}
_OWN = frozenset("ABCD")


def machine(shell: str, files: dict[str, str]) -> RecordedHost:
    """A Linux laptop with these start files."""
    host = {"system": "linux", "arch": "x64", "home": HOME, "shell": shell}
    texts = {name: {"text": files[name]} for name in files}
    return RecordedHost({"origin": {"kind": "facts"}, "host": host, "files": texts})


def handed(shell: str, files: dict[str, str]) -> dict[str, str | None]:
    """The variables with names of one letter."""
    found: dict[str, str | None] = {}
    for _, exports in handed_on(machine(shell, files)).by_file:
        found |= {name: exports[name] for name in exports if name in _OWN}
    return found


@pytest.mark.parametrize(
    ("text", "exports"),
    [
        ("export A=1", {"A": "1"}),
        ("export A=1 B='two words' C", {"A": "1", "B": "two words"}),
        ("A=1\nexport A", {"A": "1"}),
        ("A=1", {}),
        ("A=1 program", {}),
        ("export A=1\nA=2", {"A": "2"}),
        ("export A=1; unset A", {"A": ""}),
        ("export A=1; unset A; A=2", {"A": ""}),
        ("export A=1\nexport -n A", {"A": ""}),
        ("declare -x A=1\ntypeset -gx B=2\ndeclare -r C=3", {"A": "1", "B": "2"}),
        ("if true; then export A=1; fi", {"A": "1"}),
        ("if false; then export A=1; else export B=1; fi", {"B": "1"}),
        ("[ -f ~/x ] && export A=1 || export B=2", {"B": "2"}),
        ("if asked; then export A=1; else export B=1; fi", {"A": "1", "B": "1"}),
        ("if asked; then export A=1; else export A=2; fi", {"A": None}),
        ("export A=1; asked && export A=2; export A=3", {"A": "3"}),
        ("f() { export A=1; }", {}),
        ("f() { export A=$1; }; f 1", {"A": "1"}),
        ("( export A=1 )", {}),
        ("# export A=1\nexport B=2 # export C=3", {"B": "2"}),
        ('export A="x#y"\nexport B=1', {"A": "x#y", "B": "1"}),
        ('export A="say \\"hi\\""', {"A": 'say "hi"'}),
        ("export A=one\\\ntwo", {"A": "onetwo"}),
        ("export A=$HOME/x B=~/y C=${HOME}", {"A": f"{HOME}/x", "B": f"{HOME}/y", "C": HOME}),
        ("export A=$(cat key) B=`cat key` C=$OTHER", {"A": None, "B": None, "C": None}),
        ("D=$OTHER; export A=$D/x B=${D:-1}", {"A": None, "B": None}),
        ("A=$OTHER; A=1; export A", {"A": "1"}),
        ("export A=", {"A": ""}),
        ("alias c='A=1 claude'\necho export A=1", {}),
        ("set -a; A=1; set +a; B=2", {"A": "1"}),
        ("set -o allexport; A=1; set +o allexport; B=2", {"A": "1"}),
        ("set -eu; set -- -a; A=1", {"A": "1"}),
        ("set apple; A=1", {}),
    ],
)
def test_what_a_posix_shell_hands_on(text: str, exports: dict[str, str | None]) -> None:
    """Of what it sets; where conditions answer themselves, only what comes of them."""
    assert handed("bash", {_RC["bash"]: text}) == exports


@pytest.mark.parametrize(
    ("text", "exports"),
    [
        ("set -gx A 1", {"A": "1"}),
        ("set --global --export A 'two words'", {"A": "two words"}),
        ("set -g A 1", {}),
        ("set -gx A 1\nset -e A", {"A": ""}),
        ("set -gx A 1\nset -gu A 1", {"A": ""}),
        ("set -gx A 1\nset A 2", {"A": "2"}),
        ("export A=1", {"A": "1"}),
        ("set -g A 1\nexport A", {"A": "1"}),
        ("if status is-login\n  set -x A $HOME/x\nend", {"A": f"{HOME}/x"}),
        ("set -gx A (cat key)\nset -gx B $OTHER", {"A": None, "B": None}),
        ("function f\n  set -gx A 1\nend", {}),
    ],
)
def test_what_fish_hands_on(text: str, exports: dict[str, str | None]) -> None:
    """By its own way of setting variables."""
    assert handed("fish", {_RC["fish"]: text}) == exports


def test_fish_hands_on_universal_variables_that_are_exported() -> None:
    """What ``set -Ux`` leaves behind."""
    text = "# VERSION: 3.0\nSETUVAR --export A:1\nSETUVAR B:2\nSETUVAR --export --path C:x\\x20y"
    assert handed("fish", {f"{_FISH}/fish_variables": text}) == {"A": "1", "C": "x y"}


def test_the_environment_file_is_taken_literally() -> None:
    """No shell reads it: nothing is expanded, quotes go."""
    text = 'A="1"\nexport B=2\n# C=3\nD=$HOME'
    assert handed("bash", {"/etc/environment": text}) == {"A": "1", "B": "2", "D": "$HOME"}


def test_the_file_that_sets_it_last_is_told() -> None:
    """Sourced ones too, and the last one read comes first."""
    found = handed_on(
        machine(
            "bash",
            {
                "/etc/environment": "A=1\nB=1",
                f"{HOME}/.profile": f"export C=1\n. {HOME}/more\nexport D=2",
                f"{HOME}/more": "export A=2 D=1",
                f"{HOME}/.bashrc": "unset C",
            },
        )
    )
    told = [(str(file), dict(exports)) for file, exports in found.by_file]
    assert told == [
        (f"{HOME}/.bashrc", {"C": ""}),
        (f"{HOME}/more", {"A": "2"}),
        (f"{HOME}/.profile", {"D": "2"}),
        ("/etc/environment", {"B": "1"}),
    ]
    assert PurePosixPath(f"{HOME}/.bash_aliases") not in found.followed


def test_windows_has_no_start_files() -> None:
    """Its variables stand in the registry."""
    host = {"system": "win32", "arch": "x64", "home": "C:\\Users\\u", "shell": "cmd"}
    assert handed_on(RecordedHost({"origin": {}, "host": host})).followed == ()


_TEXTS: st.SearchStrategy[str] = st.text() | st.text(alphabet="ex port=A1'\"\\$`#;&|(){}\n~")


@given(_TEXTS, st.sampled_from(sorted(_RC)))
def test_any_text_is_read_without_failing(text: str, shell: str) -> None:
    """Start files hold whole programs; none of them may stop the agent."""
    found: Callable[[str], object] = handed(shell, {_RC[shell]: text}).get
    assert all(isinstance(found(name), str | None) for name in _OWN)
