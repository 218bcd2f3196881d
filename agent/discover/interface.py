"""What an install method is, and what it finds.

A method looks where its installer puts things (facts 1.1) and tells copies; it opens no
program file and judges nothing. Bytes are read later, once per file, by `fingerprint`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

from agent.host import Host


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
    """

    method: str
    place: str
    program: PurePath
    claimed: str | None = None
    names: tuple[PurePath, ...] = ()
    problem: str | None = None


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
        find: Looks at a host; may raise OSError, which the cycle reports as a failed collector.
    """

    name: str
    find: Callable[[Host], Found]
