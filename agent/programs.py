"""The program files that are known to be Claude Code's, by path and by the file itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from agent import sessions
from agent.discover.census import LocalInstall
from agent.host import Host, Image


@dataclass(frozen=True)
class Programs:
    """The program files of the known installs.

    Attributes:
        paths: The install method of each, by path.
        files: The same by the file's identity, whatever it is called.
    """

    paths: Mapping[PurePath, str] = field(default_factory=dict)
    files: Mapping[tuple[int, int], str] = field(default_factory=dict)

    def method(self, host: Host, program: PurePath, memory: PurePath | None) -> str | None:
        """The method of the install whose file runs; None where it is of none.

        Args:
            host: The machine.
            program: What runs, by its path.
            memory: Where the file in memory is reached, if it is.
        """
        found = self.paths.get(program)
        identity = None if found else _identity(host, memory or program)
        return self.files.get(identity) if identity else found

    def has(self, host: Host, image: Image) -> bool:
        """Whether what runs is Claude Code's, by its place or as the file of an install."""
        if sessions.is_place(image.path):
            return True
        return self.method(host, image.path, image.memory) is not None


def of(host: Host, installs: Iterable[LocalInstall]) -> Programs:
    """The programs of what was found on disk."""
    # What a shell starts under the name may be a launcher of many programs: its bytes decide.
    paths = {
        each.program: each.install.method
        for each in installs
        if each.install.method != "other" or (each.install.build and each.install.build.version)
    }
    identities = ((_identity(host, path), method) for path, method in paths.items())
    return Programs(paths, {identity: method for identity, method in identities if identity})


def _identity(host: Host, path: PurePath) -> tuple[int, int] | None:
    try:
        return host.stat(path).identity
    except OSError:
        return None
