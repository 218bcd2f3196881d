"""The files that configure Claude Code on a machine, and which of them wins.

Precedence, highest first (facts 3.1, 3.2): managed settings (`managed`), user settings and
files (`personal_files`), the few settings in ``~/.claude.json`` and, for variables alone, what
a login shell's start files hand on (`agent.discover.shell`), the last one read first, and what
the system itself keeps for every program (`user_variables`). An ``env`` block replaces the
shell's variable. Project folders are not read. A folder named by ``CLAUDE_CONFIG_DIR`` is a
whole second configuration: it is read too, before the usual one. Where no file names one, the
agent's own environment may: some systems keep a user's variables in no file.

What cannot be used becomes a problem whose reason holds no path, and the rest goes on.
"""

import functools
from dataclasses import dataclass
from pathlib import PurePath

from agent.claude_config import documents, managed, personal_files, user_variables
from agent.claude_config.documents import State
from agent.claude_config.exposure import Remote
from agent.claude_config.sources import SETTINGS_MAX_BYTES, Files, Source
from agent.discover.shell.start_files import handed_on
from agent.host import FileStat, Host
from agent.wire import Problem

STATE_MAX_BYTES = 33_554_432
CATALOG_MAX_BYTES = 1_048_576

CONFIG_DIR = "CLAUDE_CONFIG_DIR"


@dataclass(frozen=True)
class Layers:
    """All that was read.

    Attributes:
        sources: Highest precedence first.
        remote: What the configuration in use keeps of what it was told remotely.
        problems: What could not be examined.
        watch: Files and folders whose change could change the answer.
    """

    sources: tuple[Source, ...]
    remote: Remote
    problems: tuple[Problem, ...]
    watch: tuple[PurePath, ...]


def read(host: Host, *, share_plan: bool = False) -> Layers:
    """Read every layer of a machine; raises nothing for what a file holds or lacks.

    Args:
        host: The machine.
        share_plan: Whether the class of the user's plan may be looked at.
    """
    files = Files(host)
    local = managed.local_tiers(files)
    environment = _environment(files)
    usual = files.settings("user", host.home / ".claude" / "settings.json")
    second = _second_folder(files, [*managed.in_force((), local), *usual, *environment])
    user = [*files.settings("user", second / "settings.json"), *usual] if second else usual
    states = _states(files, second, share_plan=share_plan)
    folders = [folder for folder in (second, host.home / ".claude") if folder]
    personal = personal_files.of_user(files, folders)
    below = [*user, *personal, *_global_settings(states), *environment]
    server = managed.sent_by_server(files, folders)
    if not managed.accepts_server([*managed.in_force((), local), *below]):
        server = ()
    organisation = personal_files.of_organisation(files)
    return Layers(
        sources=(*managed.in_force(server, local), *managed.mcp(files), *organisation, *below),
        remote=Remote(
            model_catalog=_model_catalog(files, folders[0]),
            first_start=states[0][1].first_start if states else None,
            plan=states[0][1].plan if states else None,
        ),
        problems=tuple(sorted(set(files.problems), key=lambda problem: problem.reason)),
        watch=tuple(dict.fromkeys(files.watch)),
    )


_large_states: dict[tuple[PurePath, bool], tuple[FileStat, State]] = {}
"""By path, one entry for each home looked at: what is kept of a large file, and its stat."""


def _states(
    files: Files, second: PurePath | None, *, share_plan: bool
) -> list[tuple[PurePath, State]]:
    """The global state file of each configuration, the one in use first (facts 3.3)."""
    home = files.host.home
    names = [_state_file(files, second, second)] if second else []
    names.append(_state_file(files, home / ".claude", home))
    found = [(file, _state_of(files, file, share_plan=share_plan)) for file in names]
    return [(file, state) for file, state in found if state is not None]


def _global_settings(states: list[tuple[PurePath, State]]) -> list[Source]:
    return [
        Source("state", file, found.settings, files=("mcp-servers",) if found.has_servers else ())
        for file, found in states
        if found.settings or found.has_servers
    ]


def _state_of(files: Files, file: PurePath, *, share_plan: bool) -> State | None:
    """What is kept of a state file; a large one is read once for all cycles."""
    try:
        stat = files.host.stat(file)
    except OSError:
        stat = None  # read all the same: the reading tells why it cannot be
    known = _large_states.get((file, share_plan))
    if known is not None and known[0] == stat:
        files.watch.append(file)
        return known[1]
    parse = functools.partial(documents.state, share_plan=share_plan)
    found = files.document("state", file, STATE_MAX_BYTES, parse)
    if stat is not None and found is not None and stat.size > SETTINGS_MAX_BYTES:
        # If it changed since the stat, the next stat differs and it is read again.
        _large_states[file, share_plan] = stat, found
    return found


def _state_file(files: Files, folder: PurePath, usual: PurePath) -> PurePath:
    """A non-empty ``.config.json`` of earlier versions is still the one in use."""
    legacy = folder / ".config.json"
    files.watch.append(legacy)
    try:
        return legacy if files.host.stat(legacy).size else usual / ".claude.json"
    except OSError:
        return usual / ".claude.json"


def _model_catalog(files: Files, folder: PurePath) -> int | None:
    """The version of the newest catalog that was downloaded (facts 3.6)."""
    kept = files.snippets("model catalog", folder / "cache" / "model-catalog")
    found = [
        files.document("model catalog", file, CATALOG_MAX_BYTES, documents.catalog_version)
        for file in kept
    ]
    return max((version for version in found if version is not None), default=None)


def _environment(files: Files) -> list[Source]:
    """What start files hand on, the last one read first, then what the system keeps.

    Which start file cannot be read is told where the search path is looked at.
    """
    shell = handed_on(files.host)
    files.watch.extend(shell.followed)
    found = [Source("environment", file, variables=exports) for file, exports in shell.by_file]
    return found + user_variables.read(files)


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
