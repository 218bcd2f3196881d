"""What one file sets, and how the files of a configuration are read.

What cannot be used becomes a problem whose reason holds no path and no word of the file, and
the rest goes on.
"""

import errno
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TypeVar

from agent.claude_config import documents
from agent.host import Host
from agent.wire import Problem

COLLECTOR = "claude_config"
SETTINGS_MAX_BYTES = 1_048_576
SNIPPETS_MAX = 100
"""Most files read of one folder of snippets."""

_Document = TypeVar("_Document")


@dataclass(frozen=True)
class Source:
    """What one file sets.

    Attributes:
        layer: ``managed``, ``user``, ``state`` or ``environment``.
        file: The file, folder or registry key; None for what none of them holds.
        settings: Its settings, without the ``env`` block.
        variables: Its variables; None where only the shell knows the value.
        files: The kinds of files that it is, or holds.
    """

    layer: str
    file: PurePath | None
    settings: Mapping[str, object] = field(default_factory=dict)
    variables: Mapping[str, str | None] = field(default_factory=dict)
    files: tuple[str, ...] = ()


class Files:
    """One pass over a host's files, with what it met on the way.

    Attributes:
        host: Whose files.
        problems: What could not be examined.
        watch: Files and folders whose change could change the answer.
    """

    def __init__(self, host: Host) -> None:
        """Nothing is read yet."""
        self.host = host
        self.problems: list[Problem] = []
        self.watch: list[PurePath] = []

    def settings(
        self,
        layer: str,
        file: PurePath,
        parse: Callable[[bytes], Mapping[str, object]] = documents.settings,
    ) -> list[Source]:
        """The source that a settings file is, if there is one."""
        found = self.document(layer, file, SETTINGS_MAX_BYTES, parse)
        return [] if found is None else [self.source(layer, file, found)]

    def source(self, layer: str, file: PurePath, found: Mapping[str, object]) -> Source:
        """The source that a settings document is."""
        variables: Mapping[str, str | None] = {}
        try:
            variables = documents.variables(found.get("env"))
        except documents.DocumentError as error:
            self.problem(layer, str(error))
        return Source(layer, file, {key: found[key] for key in found if key != "env"}, variables)

    def snippets(self, layer: str, folder: PurePath, ending: str = ".json") -> list[PurePath]:
        """The files of a folder, in alphabetic order; hidden ones do not count."""
        self.watch.append(folder)
        try:
            names = [name for name in self.host.listdir(folder) if name.endswith(ending)]
        except OSError as error:
            self.failed(layer, error)
            return []
        if len(names) > SNIPPETS_MAX:
            self.problem(layer, f"only the first {SNIPPETS_MAX} files of a folder are read")
        return [folder / name for name in sorted(names)[:SNIPPETS_MAX] if not name.startswith(".")]

    def document(
        self, layer: str, file: PurePath, max_bytes: int, parse: Callable[[bytes], _Document]
    ) -> _Document | None:
        """What a file says; None if there is none or it cannot be used."""
        data = self.data(layer, file, max_bytes)
        try:
            return None if data is None else parse(data)
        except documents.DocumentError as error:
            self.problem(layer, str(error))
            return None

    def data(self, layer: str, file: PurePath, max_bytes: int) -> bytes | None:
        """A file's bytes; None if there is none or it cannot be read."""
        self.watch.append(file)
        try:
            return self.host.read(file, max_bytes=max_bytes)
        except OSError as error:
            self.failed(layer, error)
            return None

    def failed(self, layer: str, error: OSError) -> None:
        """Notes that something could not be read; what is missing is no problem."""
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            return
        if error.errno == errno.EFBIG:
            self.problem(layer, "a file is too large to read")
        else:
            # The error's own text would name the path.
            self.problem(
                layer, f"a file cannot be read ({errno.errorcode.get(error.errno or 0, 'error')})"
            )

    def problem(self, layer: str, reason: str) -> None:
        """Notes what could not be examined, and why."""
        self.problems.append(Problem(COLLECTOR, f"{layer}: {reason}"))
