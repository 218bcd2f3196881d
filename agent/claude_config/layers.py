"""The files that configure Claude Code on a machine, and which of them wins.

Precedence, highest first (facts 3.1, 3.2): managed files (``managed-settings.d`` after
``managed-settings.json``, alphabetically, so the last one wins), user settings, the few
settings in ``~/.claude.json`` and, for variables alone, what the files export that a login
shell follows (`agent.discover.shell`), the last one read first. An
``env`` block replaces the shell's variable. Project folders are not read. A folder named
by ``CLAUDE_CONFIG_DIR`` is a whole second configuration: it is read too, before the usual
one; the agent's own environment names none.

What cannot be used becomes a problem whose reason holds no path, and the rest goes on.
"""

import errno
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from agent.claude_config import documents, shell_variables
from agent.discover.shell.start_files import followed
from agent.host import FileStat, Host
from agent.wire import Problem

COLLECTOR = "claude_config"
SETTINGS_MAX_BYTES = 1_048_576
STATE_MAX_BYTES = 33_554_432
START_FILE_MAX_BYTES = 524_288
SNIPPETS_MAX = 100
"""Most files read of one folder of snippets."""

CONFIG_DIR = "CLAUDE_CONFIG_DIR"


@dataclass(frozen=True)
class Source:
    """What one file sets.

    Attributes:
        layer: ``managed``, ``user``, ``state`` or ``environment``.
        file: The file; None for what no file holds.
        settings: Its settings, without the ``env`` block.
        variables: Its variables; None where only the shell knows the value.
    """

    layer: str
    file: PurePath | None
    settings: Mapping[str, object] = field(default_factory=dict)
    variables: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Layers:
    """All that was read.

    Attributes:
        sources: Highest precedence first.
        problems: What could not be examined.
        watch: Files and folders whose change could change the answer.
    """

    sources: tuple[Source, ...]
    problems: tuple[Problem, ...]
    watch: tuple[PurePath, ...]


def read(host: Host) -> Layers:
    """Read every layer of a machine; raises nothing for what a file holds or lacks."""
    reading = _Reading(host)
    managed = reading.managed()
    environment = reading.environment()
    usual = reading.settings("user", host.home / ".claude" / "settings.json")
    second = reading.second_folder([*managed, *usual, *environment])
    user = [*reading.settings("user", second / "settings.json"), *usual] if second else usual
    state = reading.state(second)
    return Layers(
        sources=(*managed, *user, *state, *environment),
        problems=tuple(sorted(set(reading.problems), key=lambda problem: problem.reason)),
        watch=tuple(dict.fromkeys(reading.watch)),
    )


_large_states: dict[PurePath, tuple[FileStat, Mapping[str, object]]] = {}
"""By path, one entry for each home looked at: what a large state file held, and its stat."""


class _Reading:
    """One pass over a host's files, with what it met on the way."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.problems: list[Problem] = []
        self.watch: list[PurePath] = []

    def managed(self) -> list[Source]:
        """Managed files, the last snippet first (facts 3.2)."""
        folder = self.host.managed_settings
        snippets = self._snippets(folder / "managed-settings.d")
        files = [folder / "managed-settings.json", *snippets]
        return [source for file in reversed(files) for source in self.settings("managed", file)]

    def settings(self, layer: str, file: PurePath) -> list[Source]:
        """The source that a settings file is, if there is one."""
        found = self._document(layer, file, SETTINGS_MAX_BYTES, documents.settings)
        if found is None:
            return []
        variables: Mapping[str, str | None] = {}
        try:
            variables = documents.variables(found.get("env"))
        except documents.DocumentError as error:
            self._problem(layer, str(error))
        return [Source(layer, file, {key: found[key] for key in found if key != "env"}, variables)]

    def state(self, second: PurePath | None) -> list[Source]:
        """The settings in the global state file of each configuration (facts 3.3)."""
        files = [self._state_file(second, second)] if second else []
        files.append(self._state_file(self.host.home / ".claude", self.host.home))
        sources = []
        for file in files:
            found = self._state_of(file)
            if found:
                sources.append(Source("state", file, found))
        return sources

    def _state_of(self, file: PurePath) -> Mapping[str, object] | None:
        """The state file's few settings; a large file is read once for all cycles."""
        try:
            stat = self.host.stat(file)
        except OSError:
            stat = None  # read all the same: the reading tells why it cannot be
        known = _large_states.get(file)
        if known is not None and known[0] == stat:
            self.watch.append(file)
            return known[1]
        found = self._document("state", file, STATE_MAX_BYTES, documents.state)
        if stat is not None and found is not None and stat.size > SETTINGS_MAX_BYTES:
            # If it changed since the stat, the next stat differs and it is read again.
            _large_states[file] = stat, found
        return found

    def environment(self) -> list[Source]:
        """What start files export, the last one read first."""
        sources: list[Source] = []
        for file in followed(self.host):
            data = self._bytes("environment", file, START_FILE_MAX_BYTES)
            if data is not None:
                exports = _reader(file)(data.decode("utf-8", "replace"), str(self.host.home))
                sources.insert(0, Source("environment", file, variables=exports))
        return sources

    def second_folder(self, sources: list[Source]) -> PurePath | None:
        """The folder that ``CLAUDE_CONFIG_DIR`` names in the highest of these sources."""
        values = (
            source.variables[CONFIG_DIR] for source in sources if CONFIG_DIR in source.variables
        )
        value = next(values, "")
        if value == "":
            return None
        home = self.host.home
        if value is None or "\0" in value or not type(home)(value).is_absolute():
            self._problem("user", f"the folder that {CONFIG_DIR} names is not known")
            return None
        folder = type(home)(value)
        return None if folder == home / ".claude" else folder

    def _state_file(self, folder: PurePath, usual: PurePath) -> PurePath:
        """A non-empty ``.config.json`` of earlier versions is still the one in use."""
        legacy = folder / ".config.json"
        self.watch.append(legacy)
        try:
            return legacy if self.host.stat(legacy).size else usual / ".claude.json"
        except OSError:
            return usual / ".claude.json"

    def _snippets(self, folder: PurePath) -> list[PurePath]:
        self.watch.append(folder)
        try:
            names = [name for name in self.host.listdir(folder) if name.endswith(".json")]
        except OSError as error:
            self._failed("managed", error)
            return []
        if len(names) > SNIPPETS_MAX:
            self._problem("managed", f"only the first {SNIPPETS_MAX} files of a folder are read")
        return [folder / name for name in sorted(names)[:SNIPPETS_MAX] if not name.startswith(".")]

    def _document(
        self,
        layer: str,
        file: PurePath,
        max_bytes: int,
        parse: Callable[[bytes], Mapping[str, object]],
    ) -> Mapping[str, object] | None:
        data = self._bytes(layer, file, max_bytes)
        try:
            return None if data is None else parse(data)
        except documents.DocumentError as error:
            self._problem(layer, str(error))
            return None

    def _bytes(self, layer: str, file: PurePath, max_bytes: int) -> bytes | None:
        self.watch.append(file)
        try:
            return self.host.read(file, max_bytes=max_bytes)
        except OSError as error:
            self._failed(layer, error)
            return None

    def _failed(self, layer: str, error: OSError) -> None:
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            return
        if error.errno == errno.EFBIG:
            self._problem(layer, "a file is too large to read")
        else:
            # The error's own text would name the path.
            self._problem(
                layer, f"a file cannot be read ({errno.errorcode.get(error.errno or 0, 'error')})"
            )

    def _problem(self, layer: str, reason: str) -> None:
        self.problems.append(Problem(COLLECTOR, f"{layer}: {reason}"))


def _reader(file: PurePath) -> Callable[[str, str], shell_variables.Exports]:
    if file.name == "environment" and file.parent.name == "etc":
        return shell_variables.environment_file
    if file.name == "fish_variables":
        return shell_variables.fish_universal
    return shell_variables.fish if file.suffix == ".fish" else shell_variables.posix
