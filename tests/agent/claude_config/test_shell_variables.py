"""What start files export, read as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.claude_config import shell_variables as shell

HOME = "/home/ann"


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
        ("export A=1\nexport -n A", {"A": ""}),
        ("declare -x A=1\ntypeset -gx B=2", {"A": "1", "B": "2"}),
        ("if true; then export A=1; fi", {"A": "1"}),
        ("[ -f x ] && export A=1 || export B=2", {"A": "1", "B": "2"}),
        ("f() { export A=1; }", {"A": "1"}),
        ("# export A=1\nexport B=2 # export C=3", {"B": "2"}),
        ('export A="x#y" # don\'t\nexport B=1', {"A": "x#y", "B": "1"}),
        ('export A="say \\"hi\\""', {"A": 'say "hi"'}),
        ("export A=one\\\ntwo", {"A": "onetwo"}),
        ("export A=$HOME/x B=~/y C=${HOME}", {"A": f"{HOME}/x", "B": f"{HOME}/y", "C": HOME}),
        ("export A=$(cat key) B=`cat key` C=$OTHER", {"A": None}),
        ("export A=", {"A": ""}),
        ("don't\nexport A=1", {"A": "1"}),
        ("alias c='A=1 claude'\necho export A=1", {}),
    ],
)
def test_a_posix_file_exports_what_it_says(text: str, exports: dict[str, str | None]) -> None:
    """As sh, bash and zsh read the lines that people write."""
    assert shell.posix(text, HOME) == exports


@pytest.mark.parametrize(
    ("text", "exports"),
    [
        ("set -gx A 1", {"A": "1"}),
        ("set --global --export A 'two words'", {"A": "two words"}),
        ("set -g A 1", {}),
        ("set -gx A 1\nset -e A", {"A": ""}),
        ("export A=1", {"A": "1"}),
        ("if status is-login\n  set -x A $HOME/x\nend", {"A": f"{HOME}/x"}),
        ("set -gx PATH (brew --prefix)/bin", {"PATH": ""}),
    ],
)
def test_a_fish_file_exports_what_it_says(text: str, exports: dict[str, str | None]) -> None:
    """As fish reads its own way of setting variables."""
    assert shell.fish(text, HOME) == exports


def test_fish_universal_variables_count_when_exported() -> None:
    """What ``set -Ux`` leaves behind."""
    text = "# VERSION: 3.0\nSETUVAR --export A:1\nSETUVAR B:2\nSETUVAR --export C:x\\x20y"
    assert shell.fish_universal(text, HOME) == {"A": "1", "C": None}


def test_the_environment_file_is_taken_literally() -> None:
    """No shell reads it: nothing is expanded, quotes go."""
    text = 'A="1"\nexport B=2\n# C=3\nD=$HOME'
    assert shell.environment_file(text, HOME) == {"A": "1", "B": "2", "D": "$HOME"}


@given(st.text() | st.text(alphabet="ex port=A1'\"\\$`#;&|(){}\n~"))
def test_any_text_is_read_without_failing(text: str) -> None:
    """Start files hold whole programs; none of them may stop the agent."""
    for reader in (shell.posix, shell.fish, shell.fish_universal, shell.environment_file):
        assert all(value is None or isinstance(value, str) for value in reader(text, HOME).values())
