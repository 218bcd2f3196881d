"""The files that configure Claude Code on a machine, and which of them wins.

Precedence, highest first (facts 3.1, 3.2): managed settings (`managed`), user settings, the few
settings in ``~/.claude.json`` and, for variables alone, what the files export that a login
shell follows (`agent.discover.shell`), the last one read first. An
``env`` block replaces the shell's variable. Project folders are not read. A folder named
by ``CLAUDE_CONFIG_DIR`` is a whole second configuration: it is read too, before the usual
one. Where no file names one, the agent's own environment may: some systems keep a user's
variables in no file.

What cannot be used becomes a problem whose reason holds no path, and the rest goes on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from agent.claude_config import documents, managed, shell_variables
from agent.claude_config.sources import SETTINGS_MAX_BYTES, Files, Source
from agent.discover.shell.start_files import followed
from agent.host import FileStat, Host
from agent.wire import Problem

STATE_MAX_BYTES = 33_554_432
START_FILE_MAX_BYTES = 524_288

CONFIG_DIR = "CLAUDE_CONFIG_DIR"


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
    files = Files(host)
    local = managed.local_tiers(files)
    environment = _environment(files)
    usual = files.settings("user", host.home / ".claude" / "settings.json")
    second = _second_folder(files, [*managed.in_force((), local), *usual, *environment])
    user = [*files.settings("user", second / "settings.json"), *usual] if second else usual
    below = [*user, *_state(files, second), *environment]
    folders = [folder for folder in (second, host.home / ".claude") if folder]
    server = managed.sent_by_server(files, folders)
    if not managed.accepts_server([*managed.in_force((), local), *below]):
        server = ()
    return Layers(
        sources=(*managed.in_force(server, local), *managed.mcp(files), *below),
        problems=tuple(sorted(set(files.problems), key=lambda problem: problem.reason)),
        watch=tuple(dict.fromkeys(files.watch)),
    )


_large_states: dict[PurePath, tuple[FileStat, Mapping[str, object]]] = {}
"""By path, one entry for each home looked at: what a large state file held, and its stat."""


def _state(files: Files, second: PurePath | None) -> list[Source]:
    """The settings in the global state file of each configuration (facts 3.3)."""
    home = files.host.home
    names = [_state_file(files, second, second)] if second else []
    names.append(_state_file(files, home / ".claude", home))
    sources = []
    for file in names:
        found = _state_of(files, file)
        if found:
            sources.append(Source("state", file, found))
    return sources


def _state_of(files: Files, file: PurePath) -> Mapping[str, object] | None:
    """The state file's few settings; a large file is read once for all cycles."""
    try:
        stat = files.host.stat(file)
    except OSError:
        stat = None  # read all the same: the reading tells why it cannot be
    known = _large_states.get(file)
    if known is not None and known[0] == stat:
        files.watch.append(file)
        return known[1]
    found = files.document("state", file, STATE_MAX_BYTES, documents.state)
    if stat is not None and found is not None and stat.size > SETTINGS_MAX_BYTES:
        # If it changed since the stat, the next stat differs and it is read again.
        _large_states[file] = stat, found
    return found


def _state_file(files: Files, folder: PurePath, usual: PurePath) -> PurePath:
    """A non-empty ``.config.json`` of earlier versions is still the one in use."""
    legacy = folder / ".config.json"
    files.watch.append(legacy)
    try:
        return legacy if files.host.stat(legacy).size else usual / ".claude.json"
    except OSError:
        return usual / ".claude.json"


def _environment(files: Files) -> list[Source]:
    """What start files export, the last one read first."""
    sources: list[Source] = []
    for file in followed(files.host):
        data = files.data("environment", file, START_FILE_MAX_BYTES)
        if data is not None:
            exports = _reader(file)(data.decode("utf-8", "replace"), str(files.host.home))
            sources.insert(0, Source("environment", file, variables=exports))
    return sources


def _second_folder(files: Files, sources: list[Source]) -> PurePath | None:
    """The folder that ``CLAUDE_CONFIG_DIR`` names in the highest of these sources."""
    values = (source.variables[CONFIG_DIR] for source in sources if CONFIG_DIR in source.variables)
    value = next(values, files.host.environment.get(CONFIG_DIR, ""))
    if value == "":
        return None
    home = files.host.home
    if value is None or "\0" in value or not type(home)(value).is_absolute():
        files.problem("user", f"the folder that {CONFIG_DIR} names is not known")
        return None
    folder = type(home)(value)
    return None if folder == home / ".claude" else folder


def _reader(file: PurePath) -> Callable[[str, str], shell_variables.Exports]:
    if file.name == "environment" and file.parent.name == "etc":
        return shell_variables.environment_file
    if file.name == "fish_variables":
        return shell_variables.fish_universal
    return shell_variables.fish if file.suffix == ".fish" else shell_variables.posix
