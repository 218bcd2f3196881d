r"""What a launcher that a Node.js tool wrote leads to, read as text and not run.

Where a tool makes no link, it writes a small script that starts a program beside itself:
``"$basedir/..."`` for a POSIX shell, ``"%~dp0\..."`` for Windows' command processor
(github.com/pnpm/cmd-shim). A script of any other form leads nowhere that is known.
"""

import re
from collections.abc import Iterator
from pathlib import PurePath

from agent.discover.look import Look
from agent.host import FileStat

SHIM_MAX_BYTES = 16 * 1024
"""Largest launcher that is read; pnpm 11 writes 4 KiB."""

_HOPS_MAX = 3
_TARGET = re.compile(
    r"""
    "\$basedir[/\\] (?P<sh> [^"$`\r\n]{1,2000} ) "
    | "\$basedir_abs"/ ' (?P<new> [^'\r\n]{1,2000} ) '
    | "%(?:~dp0|dp0%) [/\\]? (?P<cmd> [^"%\r\n]{1,2000} ) "
    """,
    re.VERBOSE,
)


def leads(look: Look, launcher: PurePath, stat: FileStat) -> bool:
    """Whether a launcher leads to a program: by links, or as a script that starts it.

    Args:
        look: For looking at files.
        launcher: The launcher, which may be missing.
        stat: Of the program.
    """
    return _leads(look, launcher, stat, _HOPS_MAX)


def _leads(look: Look, launcher: PurePath, stat: FileStat, hops: int) -> bool:
    if look.leads_to(launcher, stat):
        return True
    # Only what is named as a launcher is read: a script could name any file of the home.
    if not hops or launcher.stem != "claude":
        return False
    # Yarn's launchers on Windows start another launcher, in node_modules/.bin.
    return any(_leads(look, target, stat, hops - 1) for target in _targets(look, launcher))


def _targets(look: Look, launcher: PurePath) -> Iterator[PurePath]:
    found = look.stat(launcher, "a launcher")
    if found is None or not found.is_file or found.size > SHIM_MAX_BYTES:
        return
    data = look.read(launcher, "a launcher", max_bytes=SHIM_MAX_BYTES)
    for match in _TARGET.finditer((data or b"").decode("utf-8", "replace")):
        target = match["sh"] or match["new"] or match["cmd"]
        if "\0" not in target:
            yield launcher.parent / target
