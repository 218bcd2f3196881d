"""The agent's settings: frozen values from one TOML file and the environment.

A field is set by its name in ``agent.toml`` or, stronger, by ``PARITY_AGENT_<NAME>`` in
the environment. The field's annotation chooses its reader, so a new setting is one new
line in `Settings`. A name or value that cannot be used stops the agent with the file, the
line and what to do; nothing is ignored and nothing is guessed. There is no setting that
turns certificate checks off, and none that holds a secret.
"""

import difflib
import ipaddress
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

import platformdirs

from agent import setting_values as kinds
from agent.errors import SettingsError

PREFIX = "PARITY_AGENT_"
"""Begins every variable that the agent reads."""

CONFIG_VARIABLE = "PARITY_AGENT_CONFIG"
"""Names the settings file, where it is not in its usual place."""

SECRET_VARIABLE = "PARITY_AGENT_ENROL_SECRET"  # noqa: S105 - the name of a variable
"""Holds the enrolment secret for one ``enrol``; read by `agent.identity`, never kept."""

FILE_MAX_BYTES = 65_536
"""Largest settings file, in bytes."""

LogLevel = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True)
class Settings:
    """Everything that can be set, with its default.

    Attributes:
        server_url: Where ``enrol`` goes when no ``--server`` is given; the enrolment keeps it.
        state_dir: Folder of the identity, the journal, the caches and the locks.
        home: The home folder that is looked at.
        system_root: Put before every system-wide path; for scratch machines.
        share_plan: Tell the class of the user's plan (team, enterprise, ...).
        scan_processes: Whether this user's processes are looked at for running sessions.
        share_activity: Tell how much each build is used, per day.
        process_roots: Only these processes and their descendants are looked at; for scratch
            machines, which have no others.
        python_environments: Python environments in which to look for an Agent SDK, beside
            the usual places.
        label: The name that ``enrol`` offers for this machine.
        connect_timeout_s: Seconds to wait for a connection.
        http_timeout_s: Seconds to wait for a whole answer.
        answer_max_bytes: Largest answer that is read, in bytes.
        ca_bundle: PEM file of the authorities trusted instead of the system's.
        watch_interval_s: Seconds between two looks at the watched files.
        cycle_min_s: Shortest time between two check-ins, in seconds, whatever the server says.
        cycle_max_s: Longest time between two check-ins, in seconds, whatever the server says.
        retry_base_s: First wait after a failed request, in seconds; doubled each time.
        retry_max_s: Longest such wait, in seconds, before jitter.
        spread_s: Longest random wait after start and after waking from sleep, in seconds.
        lock_timeout_s: Seconds to wait for another cycle of this machine to end.
        cycle_limit_s: Seconds after which the daemon ends itself, to be begun again: long enough
            to hash several new builds at the lowest priority.
        fix_timeout_s: Seconds that one command of ``fix --apply`` may take.
        notify_desktop: Show a notification on the desktop when a finding means drift.
        log_level: Least severity that is logged.
        log_file: Where the daemon logs; standard error when unset.
    """

    server_url: str | None = None
    state_dir: Path = field(
        default_factory=lambda: platformdirs.user_state_path("build-parity", appauthor=False)
    )
    home: Path = field(default_factory=Path.home)
    system_root: Path | None = None
    share_plan: bool = False
    scan_processes: bool = True
    share_activity: bool = True
    process_roots: tuple[int, ...] | None = None
    python_environments: tuple[Path, ...] = ()
    label: str | None = None
    connect_timeout_s: float = 10.0
    http_timeout_s: float = 30.0
    answer_max_bytes: int = 1_048_576
    ca_bundle: Path | None = None
    watch_interval_s: float = 60.0
    cycle_min_s: float = 15.0
    cycle_max_s: float = 3_600.0
    retry_base_s: float = 5.0
    retry_max_s: float = 900.0
    spread_s: float = 30.0
    lock_timeout_s: float = 120.0
    cycle_limit_s: float = 1_800.0
    fix_timeout_s: float = 900.0
    notify_desktop: bool = True
    log_level: LogLevel = "info"
    log_file: Path | None = None


LIMITS: Mapping[str, tuple[float, float]] = {
    "connect_timeout_s": (0.1, 300),
    "http_timeout_s": (0.1, 600),
    "answer_max_bytes": (4_096, 16_777_216),
    # A changed build is told within two minutes, so a look is never rarer than 90 s.
    "watch_interval_s": (0.1, 90),
    "cycle_min_s": (0.1, 3_600),
    "cycle_max_s": (1, 86_400),
    "retry_base_s": (0.1, 600),
    "retry_max_s": (1, 86_400),
    "spread_s": (0, 600),
    "lock_timeout_s": (0, 3_600),
    "cycle_limit_s": (1, 86_400),
    "fix_timeout_s": (1, 86_400),
}
"""The least and the greatest value of each number."""


def place(environment: Mapping[str, str], file: Path | None = None) -> tuple[Path, bool]:
    """Where the settings file is, or would be, and whether somebody named that place.

    Args:
        environment: The variables of the process.
        file: The settings file, if an option names one.
    """
    if file is not None:
        return file, True
    if CONFIG_VARIABLE in environment:
        return Path(environment[CONFIG_VARIABLE]), True
    return platformdirs.user_config_path("build-parity", appauthor=False) / "agent.toml", False


def load(environment: Mapping[str, str], file: Path | None = None) -> Settings:
    """Reads the settings file, if there is one, and the environment over it.

    Args:
        environment: The variables of the process.
        file: The settings file; else ``PARITY_AGENT_CONFIG``; else ``agent.toml`` in the
            user's configuration folder, which may be missing.

    Raises:
        SettingsError: A file that was named is missing, or something in it or in a
            variable cannot be used.
    """
    path, is_named = place(environment, file)
    values = _from_file(path, must_exist=is_named)
    values |= _from_environment(environment)
    settings = Settings(**values)
    if settings.cycle_min_s > settings.cycle_max_s:
        raise SettingsError(
            f"cycle_min_s ({settings.cycle_min_s:g}) is above cycle_max_s"
            f" ({settings.cycle_max_s:g})",
            advice="make cycle_min_s the smaller of the two",
        )
    return settings


def is_loopback(url: str) -> bool:
    """Whether an address cannot leave this machine (RFC 1122 3.2.1.3, RFC 6761 6.3)."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_url(url: str) -> str:
    """A server address that may be given a token, without a trailing slash.

    Raises:
        ValueError: It is no web address, holds a password, or is ``http`` beyond loopback.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("is not an address like https://parity.example.com")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must hold no user, password, query or fragment")
    if parts.scheme == "http" and not is_loopback(url):
        raise ValueError("is http beyond this machine: use https")
    parts.port  # noqa: B018 - raises ValueError for a port that is none
    return url.rstrip("/")


def _from_file(path: Path, *, must_exist: bool) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            data = stream.read(FILE_MAX_BYTES + 1)
    except FileNotFoundError:
        if not must_exist:
            return {}
        raise SettingsError(
            f"there is no settings file {path}", advice="create it, or name another one"
        ) from None
    except OSError as error:
        raise SettingsError(
            f"cannot read {path}: {error.strerror}", advice="make the file readable for this user"
        ) from error
    if len(data) > FILE_MAX_BYTES:
        raise SettingsError(
            f"{path} is larger than {FILE_MAX_BYTES} bytes", advice="keep only settings in it"
        )
    return _parsed(path, data)


def _parsed(path: Path, data: bytes) -> dict[str, Any]:
    try:
        text = data.decode("utf-8")
        table = tomllib.loads(text)
    except ValueError as error:
        # tomllib's own message ends with the line and column.
        raise SettingsError(f"{path} is not TOML: {error}", advice="correct that line") from error
    values = {}
    for key, value in table.items():
        line = _line_of(text, key)
        try:
            values[key] = _read(key, value)
        except (ValueError, TypeError) as error:
            raise SettingsError(
                f"{path}, line {line}: {key} {error}", advice=_advice(key)
            ) from error
    return values


def _line_of(text: str, key: str) -> int:
    begins = re.compile(rf"""\s*[\["']*{re.escape(key)}\b""")
    numbered = enumerate(text.splitlines(), start=1)
    return next((number for number, line in numbered if begins.match(line)), 1)


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values = {}
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name in {CONFIG_VARIABLE, SECRET_VARIABLE}:
            continue
        key = name.removeprefix(PREFIX).lower()
        try:
            values[key] = _read(key, environment[name])
        except (ValueError, TypeError) as error:
            raise SettingsError(
                f"the variable {name} {error}", advice=_advice(key, PREFIX)
            ) from error
    return values


def _advice(key: str, prefix: str = "") -> str:
    names = [each.name for each in fields(Settings)]
    if key in names:
        return "correct it or remove it"
    nearest = difflib.get_close_matches(key, names, n=1)
    shown = [prefix + (name.upper() if prefix else name) for name in nearest]
    what = f"did you mean {shown[0]}?" if shown else "remove it;"
    return f"{what} parity-agent settings lists them"


def _read(key: str, value: object) -> object:
    types = {each.name: each.type for each in fields(Settings)}
    if key not in types:
        raise ValueError("is not a setting")
    if key == "server_url":
        return checked_url(kinds.text(value))
    result = _READERS[types[key]](value)
    if isinstance(result, int | float) and not isinstance(result, bool):
        low, high = LIMITS[key]
        if not low <= result <= high:
            raise ValueError(f"is {result}: it must be from {low:g} to {high:g}")
    return result


def _level(value: object) -> str:
    if value not in get_args(LogLevel):
        raise ValueError(f"must be one of {', '.join(get_args(LogLevel))}")
    return str(value)


_READERS: Mapping[Any, Callable[[object], object]] = {
    Path: kinds.path,
    Path | None: kinds.path,
    tuple[Path, ...]: kinds.paths,
    str | None: kinds.text,
    float: kinds.number,
    int: kinds.whole,
    bool: kinds.switch,
    tuple[int, ...] | None: kinds.pids,
    LogLevel: _level,
}
