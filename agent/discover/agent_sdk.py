"""Copies that the Agent SDK brings along, for Python and for Node.js (facts 1.1, 2.6).

A program that uses the SDK starts the copy in the SDK's own package, whatever the terminal
starts. The Python package carries it in ``_bundled``, or carries none and takes what is on
PATH. The npm package has a package per platform beside it; up to 0.2.112 it held ``cli.js``
itself. The SDK's version is not that of its copy: a number comes from what says the latter.
"""

import json
import re
from collections.abc import Iterator
from pathlib import PurePath

from agent.discover.interface import SDK, Copy, Found, Method, Site
from agent.discover.look import Look
from agent.discover.npm import all_prefixes, modules_of
from agent.discover.python.environments import Packages, packages

VERSION_FILE_MAX_BYTES = 256
"""Largest version file of a Python package that is read."""

DESCRIPTION_MAX_BYTES = 256 * 1024
"""Largest description of an npm package that is read."""

_NAME = "agent_sdk"
_SCOPE = "@anthropic-ai"
_WRAPPER = "claude-agent-sdk"
_VERSION = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}(?:-[0-9A-Za-z.-]{1,40})?(?=\s|\Z)")


def find(site: Site) -> Found:
    """The SDK in every Python environment and under every global npm prefix."""
    look = Look(site.host)
    copies = [copy for each in packages(site, look) for copy in _python(look, each)]
    seen: set[tuple[int, int]] = set()
    # What cannot be seen of the prefixes themselves, npm's own method tells.
    for prefix in all_prefixes(site, Look(site.host)):
        scope = modules_of(site, prefix.folder) / _SCOPE
        stat = look.stat(scope, "a folder of packages")
        if stat and stat.is_dir and stat.identity not in seen:
            seen.add(stat.identity)
            copies += _node(look, scope, prefix.place)
    return look.found(copies)


METHOD = Method(_NAME, find)


def _python(look: Look, each: Packages) -> Iterator[Copy]:
    look.watch[each.folder] = None
    bundled = each.folder / "claude_agent_sdk" / "_bundled"
    program = bundled / ("claude.exe" if look.host.system == "win32" else "claude")
    stat = look.stat(program, "the SDK's program")
    if stat and stat.is_file:
        claimed = _claimed(look, bundled / "claude.version")
        yield Copy(_NAME, each.place, program, claimed=claimed, starts=(SDK,))


def _claimed(look: Look, file: PurePath) -> str | None:
    data = look.read(file, "the SDK's version file", max_bytes=VERSION_FILE_MAX_BYTES)
    found = _VERSION.match((data or b"").decode("utf-8", "replace"))
    return found[0] if found else None


def _node(look: Look, scope: PurePath, place: str) -> Iterator[Copy]:
    if not any(name.startswith(_WRAPPER) for name in look.names(scope, "a folder of packages")):
        return
    wrapper = scope / _WRAPPER
    has_wrapper, claimed = _described(look, wrapper / "package.json")
    script = wrapper / "cli.js"
    stat = look.stat(script, "the SDK's program")
    if stat and stat.is_file:
        yield Copy(_NAME, place, script, claimed=claimed, starts=(SDK,))
    is_found = not has_wrapper
    # Node.js takes the nearest: the packages inside the SDK's own before those beside it.
    for folder in (wrapper / "node_modules" / _SCOPE, scope):
        programs = list(_programs(look, folder))
        for program in programs:
            starts = () if is_found else (SDK,)
            yield Copy(_NAME, place, program, claimed=claimed if starts else None, starts=starts)
        is_found = is_found or bool(programs)


def _programs(look: Look, scope: PurePath) -> Iterator[PurePath]:
    for name in look.names(scope, "a folder of packages"):
        if not name.startswith(f"{_WRAPPER}-"):
            continue
        for program in (scope / name / "claude", scope / name / "claude.exe"):
            stat = look.stat(program, "the SDK's program")
            if stat and stat.is_file:
                yield program


def _described(look: Look, file: PurePath) -> tuple[bool, str | None]:
    """Whether the SDK's package describes itself, and the version that it says its copy has."""
    data = look.read(file, "a package description", max_bytes=DESCRIPTION_MAX_BYTES)
    if data is None:
        return False, None
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        look.problems["a package description: it is not JSON"] = None
        return True, None
    said = found.get("claudeCodeVersion") if isinstance(found, dict) else None
    version = _VERSION.match(said) if isinstance(said, str) else None
    return True, version[0] if version else None
