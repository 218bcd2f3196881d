"""Launchers of somebody's own: what a script starts and adds, and what cannot be followed."""

from collections.abc import Callable
from pathlib import PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.discover import launcher
from agent.discover.launcher import Launched
from agent.discover.look import Look
from agent.testing import RecordedHost

Tree = Callable[..., RecordedHost]
AT = PurePosixPath("/usr/local/bin/claude")
REAL = PurePosixPath("/opt/x/claude")
SCRIPT = PurePosixPath("/opt/x/cli.js")
FILES = {
    str(REAL): {"program": {"platform": "linux-x64", "version": "2.1.330"}},
    str(SCRIPT): "#!/usr/bin/env node\n// Version: 2.1.112\n",
    "/home/u/claude": {"program": {"platform": "linux-x64", "version": "2.1.330"}},
}
NIXPKGS = r"""#! /nix/store/abc-bash-5.2/bin/bash -e
PATH=${PATH:+':'$PATH':'}
PATH=${PATH/':''/opt/x'':'/':'}
PATH='/opt/x'$PATH
export PATH
export DISABLE_AUTOUPDATER='1'
unset DEV
declare -a extraFlagsArray=()
exec -a "$0" "/opt/x/claude"  "${extraFlagsArray[@]}" "$@"
"""


def _read(tree: Tree, text: str) -> Launched | None:
    host = tree({**FILES, str(AT): {"text": text, "mode": "x"}})
    return launcher.behind(Look(host), AT)


@pytest.mark.parametrize(
    "text",
    [
        '#!/bin/sh\nexec /opt/x/claude "$@"\n',
        '#!/bin/sh\n/opt/x/claude "$@"',
        '#!/usr/bin/env bash\nset -euo pipefail\n# mine\nexec "/opt/x/claude" ${1+"$@"}\n',
        '#!/bin/zsh -f\nexec env /opt/x/claude "$@"\n',
        '#!/bin/bash\nplace=/opt/x\nexec "$place"/claude $@\n',
        '#!/bin/bash\nexport LANG=C\nEDITOR=vi exec /opt/x/claude "$@"\n',
    ],
)
def test_a_plain_launcher_is_followed(tree: Tree, text: str) -> None:
    """One absolute path with the given arguments, and nothing of Claude Code's set."""
    found = _read(tree, text)
    assert found is not None
    assert (found.program, found.changes()) == (REAL, False)


@pytest.mark.parametrize(
    "text",
    [
        '#!/bin/sh\nexec /opt/x/claude --model opus "$@"\n',
        "#!/bin/sh\nexec /opt/x/claude\n",
        '#!/bin/sh\nexec /opt/x/claude "$1"\n',
        '#!/bin/sh\nexport ANTHROPIC_MODEL=opus\nexec /opt/x/claude "$@"\n',
        '#!/bin/sh\nDISABLE_AUTOUPDATER=1 exec /opt/x/claude "$@"\n',
        '#!/bin/sh\nexec env CLAUDE_CODE_ANYTHING=1 /opt/x/claude "$@"\n',
        '#!/bin/sh\nunset ANTHROPIC_API_KEY\nexec /opt/x/claude "$@"\n',
        '#!/bin/bash\nextraFlagsArray=(--bare)\nexec /opt/x/claude "${extraFlagsArray[@]}" "$@"\n',
    ],
)
def test_what_a_launcher_adds_is_told(tree: Tree, text: str) -> None:
    """Arguments added or left out, and variables that Claude Code reads."""
    found = _read(tree, text)
    assert found is not None
    assert (found.program, found.changes()) == (REAL, True)


def test_a_packagers_launcher_changes_nothing_but_updates(tree: Tree) -> None:
    """As nixpkgs writes it: the variables that packagers set count only for others."""
    found = _read(tree, NIXPKGS)
    assert found is not None
    assert found.program == REAL
    assert (found.changes(), found.changes(launcher.PACKAGERS)) == (True, False)


def test_a_runtime_is_followed_to_its_script(tree: Tree) -> None:
    """The script is the program; the runtime's own options are not Claude Code's."""
    found = _read(tree, '#!/bin/sh\nexec /usr/bin/node --no-warnings /opt/x/cli.js "$@"\n')
    assert found == Launched(SCRIPT)


def test_launchers_that_start_each_other_are_followed_together(tree: Tree) -> None:
    """What any of them adds counts; a circle ends."""
    files = {
        "/a/claude": {"mode": "x", "text": '#!/bin/sh\nexec /b/claude --bare "$@"\n'},
        "/b/claude": {"mode": "x", "text": '#!/bin/sh\nA=1 exec /opt/x/claude "$@"\n'},
        "/c/claude": {"mode": "x", "text": '#!/bin/sh\nexec /c/claude "$@"\n'},
    }
    host = tree({**FILES, **files})
    found = launcher.behind(Look(host), PurePosixPath("/a/claude"))
    assert found == Launched(REAL, frozenset({"A"}), adds=True)
    circle = launcher.behind(Look(host), PurePosixPath("/c/claude"))
    assert circle == Launched(PurePosixPath("/c/claude"))


@pytest.mark.parametrize(
    "text",
    [
        '#!/bin/sh\nexec claude "$@"\n',
        '#!/bin/sh\nexec "$(command -v claude)" "$@"\n',
        '#!/bin/sh\nexec "$ELSEWHERE/claude" "$@"\n',
        '#!/bin/sh\nexec /opt/missing/claude "$@"\n',
        '#!/bin/sh\nif test -e /x; then exec /opt/x/claude "$@"; fi\n',
        '#!/bin/sh\n. /etc/more\nexec /opt/x/claude "$@"\n',
        '#!/bin/sh\nset -- --bare "$@"\nexec /opt/x/claude "$@"\n',
        '#!/bin/sh\n/opt/x/claude "$@" || /home/u/claude "$@"\n',
        '#!/bin/sh\necho hello\nexec /opt/x/claude "$@"\n',
        '#!/usr/bin/env node\nexec /opt/x/claude "$@"\n',
        '#!/usr/bin/fish\nexec /opt/x/claude "$@"\n',
        'exec /opt/x/claude "$@"\n',
        "#!/bin/sh\nexec '/opt/x/claude\n",
        "#!/bin/sh\n",
        "",
        f"#!/bin/sh\n{'#' * launcher.LAUNCHER_MAX_BYTES}\nexec /opt/x/claude\n",
    ],
)
def test_what_does_anything_else_is_not_followed(tree: Tree, text: str) -> None:
    """What starts then is not known, and nothing is guessed."""
    assert _read(tree, text) is None


PIECES = [
    "#!/bin/sh\n", "exec ", "/opt/x/claude ", '"$@"', "$@", "export ", "A=", "$(", ")", "`", '"',
    "'", "\\", "\n", ";", "|", "&&", "${", "}", "(", "env ", "-a ", "set ", "[@]", "\x00", "é",
]  # fmt: skip


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=40))
def test_any_script_gives_an_answer(tree: Tree, pieces: list[str]) -> None:
    """However torn a launcher is, it leads to a file that is there, or nowhere."""
    found = _read(tree, "#!/bin/sh\n" + "".join(pieces))
    assert found is None or found.program in {REAL, AT}
