"""What an install method is, and what it finds.

A method looks where its installer puts things (facts 1.1) and tells copies; it opens no
program file and judges nothing. Bytes are read later, once per file, by `fingerprint`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from agent.host import Host

EDITOR = "editor"
"""The surface of an editor's extension."""

DESKTOP = "desktop"
"""The surface of the desktop app."""

SDK = "sdk"
"""The surface of the Agent SDK: programs that start Claude Code themselves."""


def on_host(host: Host, text: str) -> PurePath | None:
    """The absolute path that a text names on a host, or None if it names none.

    A path below the home is itself; any other one is the system's, and lies below the
    root of a host that has one.
    """
    path = type(host.home)(text)
    if "\x00" in text or not path.is_absolute():
        return None
    return path if path.is_relative_to(host.home) else host.system_file(text)


@dataclass(frozen=True)
class Site:
    """A host, and what its user's login shell makes of it.

    Attributes:
        host: The host.
        path: The folders of the login shell's search path, in order.
        variables: What the shell's start files and the agent's environment set, the
            former first: folder variables such as ``XDG_DATA_HOME`` and ``NVM_DIR``.
        environments: Python environments that the agent's settings name.
    """

    host: Host
    path: tuple[PurePath, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    environments: tuple[PurePath, ...] = ()

    def folder(self, variable: str, default: PurePath) -> PurePath:
        """The folder that a variable names, or its default; a relative one is ignored."""
        value = self.variables.get(variable, "")
        return on_host(self.host, value) or default


@dataclass(frozen=True)
class Copy:
    """One copy of Claude Code that a method found, before its bytes are read.

    Attributes:
        method: The method's name, as told on the wire.
        place: Coarse class of place, as told on the wire; never a path.
        program: The file that runs: the native program or ``cli.js``.
        claimed: The version that a package or file name claims; None where none does.
        names: Other paths that lead to the same program (launcher links, a payload).
        problem: Why the program cannot be examined; None when it can be tried.
        starts: The surfaces that start it, as far as the method knows: `EDITOR`, `DESKTOP`,
            `SDK`. What a login shell starts is no method's to say.
    """

    method: str
    place: str
    program: PurePath
    claimed: str | None = None
    names: tuple[PurePath, ...] = ()
    problem: str | None = None
    starts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """What one method has to say of one machine.

    Attributes:
        copies: What it found.
        problems: What it could not look into, in words without a path or a name.
        watch: Folders and files whose change could change the answer.
    """

    copies: tuple[Copy, ...] = ()
    problems: tuple[str, ...] = ()
    watch: tuple[PurePath, ...] = ()


@dataclass(frozen=True)
class Method:
    """An install method.

    Attributes:
        name: The module's name: ``native``, ``npm``, ...
        find: Looks at a site; may raise OSError, which the census tells as a problem.
    """

    name: str
    find: Callable[[Site], Found]
