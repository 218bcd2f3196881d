"""The package of Claude Code in one folder, whichever Node.js tool put it there (facts 1.3).

From 2.1.113 on the package's ``bin/claude.exe`` is the native program, usually one file
with the payload of the platform package beside it; before that ``cli.js`` is the program.
A tool that runs no install scripts leaves a placeholder there, and the payload unlinked.
"""

import json
import re
from collections.abc import Iterator
from pathlib import PurePath

from agent.discover.interface import Copy
from agent.discover.look import Look
from agent.host import FileStat

PACKAGE_JSON_MAX_BYTES = 256 * 1024
"""Largest package description that is read."""

SCOPE = "@anthropic-ai"
PACKAGE = "claude-code"
PAYLOAD = "payload"
"""The place of a platform package's program that is not the package's own program."""

_PROGRAMS = (("bin", "claude.exe"), ("cli.js",), ("cli.mjs",))
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}\Z")


def in_modules(modules: PurePath) -> PurePath:
    """The package's folder in a ``node_modules`` folder."""
    return modules / SCOPE / PACKAGE


def copies(look: Look, method: str, place: str, folder: PurePath) -> Iterator[Copy]:
    """The copies in one package folder: the package's program, and payloads unlike it.

    Args:
        look: For looking at files.
        method: The method that asks.
        place: Whose the folder is, as told on the wire.
        folder: The package folder, which is there.
    """
    described, claimed = _described(look, folder)
    found = _program(look, folder)
    payloads = list(_payloads(look, folder))
    if found is None:
        if described:
            program = folder.joinpath(*_PROGRAMS[0])
            problem = "the package has no program file"
            yield Copy(method, place, program, claimed=claimed, problem=problem)
        return
    program, stat = found
    same = tuple(path for path, payload in payloads if payload.identity == stat.identity)
    yield Copy(method, place, program, claimed=claimed, names=same)
    for path, payload in payloads:
        if payload.identity != stat.identity:
            _, payload_claimed = _described(look, path.parent)
            yield Copy(method, PAYLOAD, path, claimed=payload_claimed)


def _program(look: Look, folder: PurePath) -> tuple[PurePath, FileStat] | None:
    for parts in _PROGRAMS:
        program = folder.joinpath(*parts)
        stat = look.stat(program, "a package's program")
        if stat and not stat.is_dir:
            return program, stat
    return None


def _described(look: Look, folder: PurePath) -> tuple[bool, str | None]:
    """Whether a package describes itself, and the version that it claims."""
    data = look.read(
        folder / "package.json", "a package description", max_bytes=PACKAGE_JSON_MAX_BYTES
    )
    if data is None:
        return False, None
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        look.problems["a package description: it is not JSON"] = None
        return False, None
    version = found.get("version") if isinstance(found, dict) else None
    fits = isinstance(version, str) and _VERSION.match(version)
    return True, version if fits else None


def _payloads(look: Look, folder: PurePath) -> Iterator[tuple[PurePath, FileStat]]:
    # Nested in a global install, a sibling where the tool put it flat (facts 1.1).
    for scope in (folder / "node_modules" / SCOPE, folder.parent):
        for name in look.names(scope, "a folder of packages"):
            if not name.startswith(f"{PACKAGE}-"):
                continue
            for program in (scope / name / "claude", scope / name / "claude.exe"):
                stat = look.stat(program, "a platform package's program")
                if stat and stat.is_file:
                    yield program, stat
