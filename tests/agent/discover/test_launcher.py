"""Launchers of somebody's own: what a script starts and adds, and what cannot be followed."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.discover import launcher
from agent.discover.launcher import Launched
from agent.discover.look import Look
from agent.host import Host
from agent.testing import RecordedHost

Tree = Callable[..., RecordedHost]
AT = PurePosixPath("/usr/local/bin/claude")
REAL = PurePosixPath("/opt/x/claude")
SCRIPT = PurePosixPath("/opt/x/cli.js")
FILES = {
    str(REAL): {"program": {"platform": "linux-x64", "version": "2.1.330"}},
    "/home/u/.claude/.credentials.json": '{"canary": "secret"}',
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
        '#!/bin/sh\nexec /opt/x/claude --dangerously-skip-permissions -c "$@"\n',
        '#!/bin/sh\nexec /opt/x/claude --add-dir "$HOME/x y" --permission-mode=plan "$@"\n',
        '#!/bin/sh\nexport CLAUDE_CODE_PLUGIN_PREFER_HTTPS=1\nexec /opt/x/claude "$@"\n',
    ],
)
def test_a_plain_launcher_is_followed(tree: Tree, text: str) -> None:
    """One absolute path with the given arguments; nothing is set but what users set as well."""
    found = _read(tree, text)
    assert found is not None
    assert (found.program, found.changes()) == (REAL, False)


@pytest.mark.parametrize(
    "text",
    [
        '#!/bin/sh\nexec /opt/x/claude --model opus "$@"\n',
        "#!/bin/sh\nexec /opt/x/claude\n",
        "#!/bin/sh\nexec /opt/x/claude -c\n",
        '#!/bin/sh\nexec /opt/x/claude -c hello "$@"\n',
        '#!/bin/sh\nexec /opt/x/claude --permission-mode "$@"\n',
        '#!/bin/sh\nexec /opt/x/claude --never-heard-of "$@"\n',
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
        '#!/bin/sh\nexec "$HOME/.claude/.credentials.json" "$@"\n',
        '#!/bin/sh\nexec node "$HOME/.claude/.credentials.json" "$@"\n',
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


ECHO = '#!/bin/sh\nprintf "%s," "$0" "$@" "${ANTHROPIC_MODEL-unset}" "${CLAUDE_X-unset}"\n'


@pytest.mark.origin("search_path", "real")
@pytest.mark.parametrize(
    "text",
    [
        'exec {} "$@"',
        '{} ${{1+"$@"}}',
        'exec {} --bare "$@"',
        "exec {}",
        'export ANTHROPIC_MODEL=opus; exec {} "$@"',
        'unset CLAUDE_X; exec {} "$@"',
        'set -eu\nCLAUDE_X=2 exec {} "$@"',
        'exec env CLAUDE_X=2 {} "$@"',
        'export LANG=C\nEDITOR=vi exec "{}" "$@"',
        'exec "$HOME"/claude.real "$@"',
    ],
)
def test_the_shell_itself_starts_the_same(
    tmp_path: Path, live: Callable[[Path], Host], text: str
) -> None:
    """A script, run by sh: whether its program sees what it would see without the script."""
    home = tmp_path / "home"
    home.mkdir()
    program, script = home / "claude.real", home / "claude"
    program.write_text(ECHO)
    script.write_text(f"#!/bin/sh\n{text.format(program)}\n")
    told = []
    for each in (program, script):
        each.chmod(0o755)
        environment = {"HOME": str(home), "CLAUDE_X": "1", "PATH": os.defpath}
        command = [str(each), "-p", "a b"]
        done = subprocess.run(
            command, env=environment, capture_output=True, check=True, text=True, timeout=30
        )
        told.append(done.stdout)
    found = launcher.read(Look(live(home)), script)
    assert found is not None
    assert found.program == program
    assert found.changes() == (told[0] != told[1])


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
