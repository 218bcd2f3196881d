"""The Nix store: links, wrappers of both kinds, patched bytes, and what cannot be followed."""

from collections.abc import Callable
from pathlib import PurePosixPath

import pytest

from agent import wire
from agent.discover import launcher, nix
from agent.discover.census import Census
from agent.host import Host
from agent.testing import RecordedHost

Take = Callable[[Host], Census]
Golden = Callable[[str], RecordedHost]
Tree = Callable[..., RecordedHost]
PROGRAM = {"program": {"platform": "linux-x64", "version": "2.1.330"}}
STORE = "/nix/store/0123456789abcdfghijklmnpqrsvwxyz"
REAL = f"{STORE}-claude-code-2.1.330/bin/.claude-wrapped"
WRAPPER = f"{STORE}-claude-code-2.1.330/bin/claude"
PROFILE = {"/home/u/.nix-profile/bin/claude": {"link": WRAPPER}, REAL: PROGRAM}
ON_PATH = {"/home/u/.bashrc": "PATH=~/.nix-profile/bin:$PATH"}


def _told(found: Census) -> list[tuple[str, str, str | None, str, bool]]:
    told = (each.install for each in found.installs)
    return [(one.method, one.place, one.claimed, one.state, one.counted) for one in told]


def _made(*options: str) -> dict[str, str]:
    words = " \\\n    ".join((REAL, *options))
    return {"mode": "x", "text": f"\x7f\n\nmakeCWrapper {words}\n\n\n# the end"}


def test_a_compiled_wrapper_leads_to_the_program(golden: Golden, take: Take) -> None:
    """The system's profile starts it; what packagers set is no problem."""
    found = take(golden("nix/linux-binary"))
    assert _told(found) == [("nix", "store", "2.1.330", "ok", True)]
    assert found.installs[0].program == PurePosixPath(REAL)
    assert PurePosixPath("/run/current-system/sw/bin/claude") in found.installs[0].names
    assert found.problems == ()


def test_a_patched_script_is_known_by_its_bytes(golden: Golden, take: Take) -> None:
    """Through two wrapper scripts and Node.js; its first line is nixpkgs' own."""
    found = take(golden("nix/darwin-js"))
    assert _told(found) == [("nix", "store", "2.1.90", "ok", True)]
    build = found.installs[0].install.build
    assert build is not None
    assert (build.form, build.version) == ("js", "2.1.90")
    assert found.problems == ()


def test_a_profile_that_no_path_starts_is_at_rest(tree: Tree, take: Take) -> None:
    """It is there, and nothing starts it."""
    found = take(tree({**PROFILE, WRAPPER: _made("--inherit-argv0")}))
    assert _told(found) == [("nix", "store", "2.1.330", "ok", False)]


def test_a_package_of_the_users_own_is_followed_into_the_store(tree: Tree, take: Take) -> None:
    """A launcher of another name, and a package without a number in its own."""
    script = f'#!{STORE}-bash-5.2/bin/bash\nexport DISABLE_AUTOUPDATER=1\nexec {REAL} "$@"\n'
    mine = f"{STORE}-claude/bin/claude"
    files = {
        "/home/u/.profile": "PATH=~/.local/bin:$PATH",
        "/home/u/.local/bin/claude": {"link": mine},
        mine: {"mode": "x", "text": script.replace("-code-2.1.330", "-code-unwrapped")},
        REAL.replace("-code-2.1.330", "-code-unwrapped"): PROGRAM,
    }
    found = take(tree(files))
    assert _told(found) == [("nix", "store", None, "ok", True)]
    assert found.problems == ()


@pytest.mark.parametrize(
    "options",
    [
        ("--set", "'ANTHROPIC_MODEL'", "'opus'"),
        ("--add-flags", "'--bare'"),
        ("--append-flags", "'--bare'"),
    ],
)
def test_what_a_wrapper_adds_is_a_problem(tree: Tree, take: Take, options: tuple[str, ...]) -> None:
    """The bytes do not tell it."""
    found = take(tree({**PROFILE, **ON_PATH, WRAPPER: _made(" ".join(options))}))
    assert _told(found) == [("nix", "store", "2.1.330", "ok", True)]
    assert found.problems == (wire.Problem("nix", launcher.ADDS),)


def test_a_compiled_wrapper_of_nodejs_leads_to_the_script(tree: Tree, take: Take) -> None:
    """Its flags begin with the script's path."""
    script = f"{STORE}-claude-code-2.1.112/lib/cli.js"
    made = f"makeCWrapper {STORE}-nodejs-22/bin/node \\\n    --add-flags '{script}'\n\n"
    wrapper = f"{STORE}-claude-code-2.1.112/bin/claude"
    files = {
        "/home/u/.local/state/nix/profile/bin/claude": {"link": wrapper},
        wrapper: {"mode": "x", "text": f"\x7fELF\n{made}"},
        script: "#!/usr/bin/env node\n// Version: 2.1.112\n",
    }
    found = take(tree(files))
    assert _told(found) == [("nix", "store", "2.1.112", "ok", False)]
    assert found.problems == ()


@pytest.mark.parametrize(
    "wrapper",
    [
        {"mode": "x", "text": "\x7fELF: some other wrapper"},
        {"mode": "x", "text": f"\nmakeCWrapper {REAL} --run 'a command'\n\n"},
        {"mode": "x", "text": f"\nmakeCWrapper {REAL} --set A\n\n"},
        {"mode": "x", "text": f"\nmakeCWrapper '{REAL}\n\n"},
        {"mode": "x", "text": "\nmakeCWrapper relative/claude\n\n"},
        {"mode": "x", "text": f'#!/bin/sh\n. /etc/more\nexec {REAL} "$@"\n'},
        {"mode": "x", "text": f"\nmakeCWrapper {STORE}-nothing/bin/claude\n\n"},
        {"mode": "x", "text": f"\nmakeCWrapper {WRAPPER}\n\n"},
        {"mode": "x", "text": ""},
    ],
)
def test_a_wrapper_that_cannot_be_followed_is_not_examined(
    tree: Tree, take: Take, wrapper: dict[str, str]
) -> None:
    """It counts, with the reason; its own bytes are nobody's build."""
    found = take(tree({**PROFILE, **ON_PATH, WRAPPER: wrapper}))
    assert _told(found) == [("nix", "store", "2.1.330", "not-examined", True)]
    assert found.installs[0].install.reason == nix.NOT_FOLLOWED


def test_another_program_of_the_store_is_none_of_nixs_copies(tree: Tree, take: Take) -> None:
    """A program of the name that lies in no item of Claude Code's is of another kind."""
    other = f"{STORE}-my-tools/bin/claude"
    found = take(
        tree({**ON_PATH, "/home/u/.nix-profile/bin/claude": {"link": other}, other: PROGRAM})
    )
    assert _told(found) == [("other", "search-path", None, "ok", True)]
