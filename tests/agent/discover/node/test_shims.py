"""Launcher scripts: those of known forms are followed, all others lead nowhere."""

from collections.abc import Callable
from pathlib import PurePath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.discover.look import Look
from agent.discover.node.shims import SHIM_MAX_BYTES, leads
from agent.testing import RecordedHost

Tree = Callable[..., RecordedHost]
PROGRAM = "/home/u/g/m/claude.exe"
SHIM = "/home/u/b/claude"


def _leads(tree: Tree, text: str) -> tuple[bool, tuple[str, ...]]:
    host = tree({PROGRAM: {"program": {"platform": "linux-x64", "version": "1.0.0"}}, SHIM: text})
    look = Look(host)
    return leads(look, PurePath(SHIM), host.stat(PurePath(PROGRAM))), tuple(look.problems)


@pytest.mark.parametrize(
    "line",
    [
        '"$basedir/../g/m/claude.exe"   "$@"',
        'exec node  "$basedir/../g/m/claude.exe" "$@"',
        """exec "$basedir_abs"/'../g/m/claude.exe'   "$@\"""",
        '@"%~dp0/../g/m/claude.exe"   %*',
        '"%_prog%"  "%dp0%/../g/m/claude.exe" %*',
    ],
)
def test_a_launcher_of_a_known_form_is_followed(tree: Tree, line: str) -> None:
    """POSIX shells and Windows' command processor, npm's and pnpm's writing."""
    assert _leads(tree, f"#!/bin/sh\nbasedir=x\n{line}\n") == (True, ())


@pytest.mark.parametrize(
    "text",
    [
        f'exec "{PROGRAM}" "$@"',
        'exec "$basedir/$other/claude.exe"',
        'exec "$basedir/../g/m/other.exe"',
        'exec "$basedir/\0"',
        '"$basedir/claude"',
        " " * SHIM_MAX_BYTES + '\n"$basedir/../g/m/claude.exe"',
        "",
    ],
)
def test_any_other_script_leads_nowhere(tree: Tree, text: str) -> None:
    """An absolute path, a computed one, another file, itself, or too much text."""
    assert _leads(tree, text) == (False, ())


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(
            ['"$basedir/', '"$basedir_abs"/\'', "'", '"', "%~dp0", "\\", "..", "/", "a"]
        ),
        max_size=40,
    )
)
def test_any_text_gives_an_answer(tree: Tree, pieces: list[str]) -> None:
    """However torn a script is, nothing is raised."""
    assert _leads(tree, "".join(pieces))[1] == ()


def test_a_file_that_a_script_names_is_not_read(tree: Tree) -> None:
    """Unless it is a launcher itself: a hostile script cannot have others' files opened."""
    shim, token = PurePath(SHIM), PurePath("/home/u/token")
    program = {"program": {"platform": "linux-x64", "version": "1.0.0"}}
    host = tree({PROGRAM: program, SHIM: '"$basedir/../token"', str(token): "canary"})
    look = Look(host)
    assert not leads(look, shim, host.stat(PurePath(PROGRAM)))
    assert shim in look.watch
    assert not [path for path in look.watch if path.name == token.name]
