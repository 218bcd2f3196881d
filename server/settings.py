"""The server's settings: frozen values from one TOML file and the environment.

A field is set by its name in the settings file, stronger by ``PARITY_SERVER_<NAME>`` in the
environment, strongest by an option of the command line. A field's annotation chooses its
reader, so a new setting is one new line in `Settings`. A name or value that cannot be used
stops the server with the place and what to do; nothing is ignored, nothing guessed. An
empty text is None where that has a meaning: ``PARITY_SERVER_BUCKET_URL=`` reads no bucket.

A `Secret` comes from its variable, or from a file of its own that ``<NAME>_FILE`` names;
a settings file may name that file (``slack_webhook_url_file``) but not hold the secret.
"""

import ipaddress
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_args

import platformdirs

from server.errors import SettingsError
from server.retention import Keep
from server.setting_values import READERS, LogLevel, Secret, as_url
from server.store.interface import Limits

PREFIX = "PARITY_SERVER_"
"""Begins every variable that the server reads."""

FILE_MAX_BYTES = 65_536
"""Largest settings or secret file, in bytes."""

_FILE = "_file"


@dataclass(frozen=True)
class Settings:
    """Everything that can be set, with its default.

    Attributes:
        data_dir: Folder of the SQLite database.
        database_url: Address of the database, ``sqlite:///PATH`` or ``postgresql://USER@HOST/NAME``;
            else ``server.db`` in `data_dir`. A password that it leaves out is taken from where
            libpq looks: ``PGPASSWORD``, ``PGPASSFILE``, ``~/.pgpass``.
        database_connect_timeout_s: Seconds in which PostgreSQL has to be connected to.
        database_statement_timeout_s: Seconds that one statement may take on PostgreSQL.
        database_lock_timeout_s: Seconds that a statement waits on PostgreSQL for another's lock.
        database_connections_max: Most connections to PostgreSQL; one of them writes,
            and one is the leading server's.
        host: The address to listen on.
        port: The port to listen on; 0 takes a free one.
        tls_cert: PEM file of the certificate and its chain.
        tls_key: PEM file of the certificate's key.
        behind_proxy: A proxy in front speaks TLS, so plain HTTP beyond loopback is right.
        check_in_interval_s: Seconds from one check-in of a machine to its next, before spreading.
        heads_every_s: Seconds between two readings of the channels' heads.
        npm_registry_url: The npm registry; else what npm's own configuration names.
        bucket_url: The release bucket (facts 2.1); None reads none.
        ca_file: PEM file of the certificate authorities that vouch for the sources; else those
            that the system or ``REQUESTS_CA_BUNDLE`` names.
        policy_file: TOML file of what each group is expected to run; without it, the defaults.
        slack_webhook_url: Where alerts go; none are sent without it.
        check_in_max_bytes: Largest check-in, in bytes.
        request_max_bytes: Largest other body, in bytes, except a profile's (64 KiB, protocol).
        body_timeout_s: Seconds in which a request's body has to arrive.
        header_timeout_s: Seconds in which a request's head has to arrive; so long, too, an
            idle connection is kept.
        stop_timeout_s: Seconds that requests under way get to end when the server stops.
        connections_max: Most connections served at a time; further ones wait.
        check_ins_waiting_max: Most check-ins that wait for a commit; further ones get 503.
        token_max_age_s: Age in seconds at which a machine's token gives way to its next one.
        keep_history_days: Days that it is kept what machines had and how they stood, and waivers
            that ended; 0 keeps it for ever, as with the following ones.
        keep_left_machines_days: Days after which machines that left are forgotten.
        keep_share_minutes_days: Days that the counts of machines are kept by the minute.
        keep_shares_days: Days that they are kept by the hour.
        keep_activity_days: Days that it is kept how much builds were used.
        keep_messages_days: Days that messages are kept once they were sent or dropped.
        keep_lookups_days: Days that answers about versions are kept that no laptop names any more.
        keep_profiles_days: Days that profiles are kept that no machine has or had.
        log_level: Least severity that is logged.
    """

    data_dir: Path = field(
        default_factory=lambda: platformdirs.user_state_path("build-parity", appauthor=False)
    )
    database_url: str | None = field(default=None, repr=False)
    database_connect_timeout_s: float = 5.0
    database_statement_timeout_s: float = 60.0
    database_lock_timeout_s: float = 10.0
    database_connections_max: int = 16
    host: str = "127.0.0.1"
    port: int = 8470
    tls_cert: Path | None = None
    tls_key: Path | None = None
    behind_proxy: bool = False
    check_in_interval_s: int = 900
    heads_every_s: int = 300
    npm_registry_url: str | None = None
    bucket_url: str | None = "https://downloads.claude.ai/claude-code-releases"
    ca_file: Path | None = None
    policy_file: Path | None = None
    slack_webhook_url: Secret | None = None
    check_in_max_bytes: int = 32_768
    request_max_bytes: int = 8_192
    body_timeout_s: float = 10.0
    header_timeout_s: float = 30.0
    stop_timeout_s: float = 10.0
    connections_max: int = 1_024
    check_ins_waiting_max: int = 10_000
    token_max_age_s: int = 2_592_000
    keep_history_days: int = Keep.history
    keep_left_machines_days: int = Keep.left_machines
    keep_share_minutes_days: int = Keep.share_minutes
    keep_shares_days: int = Keep.shares
    keep_activity_days: int = Keep.activity
    keep_messages_days: int = Keep.messages
    keep_lookups_days: int = Keep.lookups
    keep_profiles_days: int = Keep.profiles
    log_level: LogLevel = "info"

    @property
    def keep(self) -> Keep:
        """For how long what is kept."""
        days = {each.name: getattr(self, f"keep_{each.name}_days") for each in fields(Keep)}
        return Keep(**days)

    @property
    def database(self) -> str:
        """The SQLAlchemy address of the database."""
        return self.database_url or f"sqlite:///{self.data_dir / 'server.db'}"

    @property
    def database_limits(self) -> Limits:
        """What a server lets PostgreSQL take."""
        return Limits(
            connect_s=self.database_connect_timeout_s,
            statement_s=self.database_statement_timeout_s,
            lock_s=self.database_lock_timeout_s,
            connections=self.database_connections_max,
        )


LIMITS: Mapping[str, tuple[float, float]] = {
    "database_connect_timeout_s": (1, 300),
    "database_statement_timeout_s": (1, 3_600),
    "database_lock_timeout_s": (0.1, 300),
    "database_connections_max": (3, 1_000),
    "port": (0, 65_535),
    "check_in_interval_s": (1, 86_400),
    "heads_every_s": (1, 3_600),
    "check_in_max_bytes": (1_024, 1_048_576),
    "request_max_bytes": (1_024, 1_048_576),
    "body_timeout_s": (0.1, 300),
    "header_timeout_s": (0.1, 300),
    "stop_timeout_s": (0.1, 300),
    "connections_max": (1, 100_000),
    "check_ins_waiting_max": (1, 1_000_000),
    "token_max_age_s": (60, 31_536_000),
    **{f"keep_{each.name}_days": (0, 36_500) for each in fields(Keep)},
}
"""The least and the greatest value of each number."""

URLS = frozenset({"npm_registry_url", "bucket_url", "slack_webhook_url"})
"""The settings that are web addresses."""


def load(
    environment: Mapping[str, str],
    file: Path | None = None,
    options: Mapping[str, object] | None = None,
) -> Settings:
    """Reads the settings file, the environment over it, and the options over both.

    Args:
        environment: The variables of the process.
        file: The settings file, if one was named; it must then exist.
        options: Fields given on the command line; None counts as not given.

    Raises:
        SettingsError: The file cannot be read, something in any of the three cannot be
            used, or the values do not go together.
    """
    values = _from_file(file) if file else {}
    values |= _from_environment(environment)
    for key, value in (options or {}).items():
        if value is not None:
            values[key] = _at(f"the option --{key.replace('_', '-')}", key, value)
    settings = Settings(**values)
    _check_listening(settings)
    return settings


def is_loopback(host: str) -> bool:
    """Whether an address cannot be reached from another machine (RFC 1122 3.2.1.3)."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_listening(settings: Settings) -> None:
    if (settings.tls_cert is None) != (settings.tls_key is None):
        missing = "tls_key" if settings.tls_key is None else "tls_cert"
        raise SettingsError(
            f"TLS needs a certificate and its key, and {missing} is not set",
            advice=f"set {missing}, or neither of the two",
        )
    if not (is_loopback(settings.host) or settings.tls_cert or settings.behind_proxy):
        raise SettingsError(
            f"listening on {settings.host} without TLS would show tokens to the network",
            advice="give --tls-cert and --tls-key, or set behind_proxy if a proxy speaks TLS",
        )


def _from_file(path: Path) -> dict[str, Any]:
    text = _text_of(path, "the settings file")
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # tomllib's own message ends with the line and column.
        raise SettingsError(f"{path} is not TOML: {error}", advice="correct that line") from error
    values: dict[str, Any] = {}
    for key, value in table.items():
        place = f"{path}, line {_line_of(text, key)}: {key}"
        if key in _SECRETS:
            raise SettingsError(
                f"{place} is a secret and does not belong here",
                advice=f"put it in a file of its own and name that as {key}{_FILE}",
            )
        values |= _one(place, key, value)
    return values


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in sorted(environment):
        if name.startswith(PREFIX):
            key = name.removeprefix(PREFIX).lower()
            values |= _one(f"the variable {name}", key, environment[name])
    return values


def _one(place: str, key: str, value: object) -> dict[str, Any]:
    secret = key.removesuffix(_FILE)
    if key.endswith(_FILE) and secret in _SECRETS:
        path = _at(place, "data_dir", value)
        return {secret: _at(place, secret, _text_of(path, "the file").strip())}
    return {key: _at(place, key, value)}


def _at(place: str, key: str, value: object) -> Any:
    try:
        return _read(key, value)
    except (ValueError, TypeError) as error:
        known = ", ".join(_TYPES)
        advice = "correct it or remove it" if key in _TYPES else f"remove it; known are: {known}"
        raise SettingsError(f"{place} {error}", advice=advice) from error


def _text_of(path: Path, what: str) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(FILE_MAX_BYTES + 1)
        text = data.decode("utf-8")
    except OSError as error:
        raise SettingsError(
            f"cannot read {what} {path}: {error.strerror}",
            advice="create it and make it readable for this user, or name another one",
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{what} {path} is not text", advice="name a UTF-8 file") from error
    if len(data) > FILE_MAX_BYTES:
        raise SettingsError(
            f"{what} {path} is larger than {FILE_MAX_BYTES} bytes", advice="name another file"
        )
    return text


def _line_of(text: str, key: str) -> int:
    begins = re.compile(rf"""\s*[\["']*{re.escape(key)}\b""")
    numbered = enumerate(text.splitlines(), start=1)
    return next((number for number, line in numbered if begins.match(line)), 1)


def _read(key: str, value: object) -> object:
    if key not in _TYPES:
        raise ValueError("is not a setting")
    if value == "" and type(None) in get_args(_TYPES[key]):
        return None
    if key in URLS:
        value = as_url(value)
    result = READERS[_TYPES[key]](value)
    low, high = LIMITS.get(key, (0, 0))
    if key in LIMITS and isinstance(result, int | float) and not low <= result <= high:
        raise ValueError(f"is {result}: it must be from {low:g} to {high:g}")
    return result


_TYPES: Mapping[str, Any] = {each.name: each.type for each in fields(Settings)}

_SECRETS = frozenset(name for name, kind in _TYPES.items() if kind == Secret | None)
