"""What a service starts: the installed command, and the variables that it needs. Pure.

A service manager gives a program none of the variables of the shell in which the service was
installed. Those that change what the agent does are written down: the agent's own settings, the
way through a proxy, whom to trust, and the folders in which things lie: else a ``check`` in that
shell and the daemon would find another configuration by turns. Nothing else is, and never the
enrolment secret.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.errors import AgentError
from agent.settings import CONFIG_VARIABLE, PREFIX, SECRET_VARIABLE, Settings

PROXY_VARIABLES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"})
"""Name a proxy, in either case (requests, "Proxies")."""

TRUST_VARIABLES = frozenset(
    {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"}
)
"""Name the authorities that are trusted (requests, "SSL Cert Verification"; OpenSSL)."""

PLACE_VARIABLES = frozenset(
    {"CLAUDE_CONFIG_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"}
)
"""Name the folders of Claude Code's settings, and those of all programs, the agent among them
(XDG Base Directory)."""

VALUE_MAX = 4_096
"""Longest value of a variable that a service carries, in characters."""


@dataclass(frozen=True)
class Launch:
    """What to start, for whom.

    Attributes:
        command: The program's absolute path and its arguments.
        environment: Its variables, sorted by name.
        home: The user's home.
        state_dir: The agent's state folder.
        user: As the manager names the user, where it has to be told.
        config_home: ``XDG_CONFIG_HOME``, where it is set.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str]
    home: Path
    state_dir: Path
    user: str = ""
    config_home: Path | None = None

    @property
    def has_log_file(self) -> bool:
        """Whether the operator said where the daemon logs."""
        return f"{PREFIX}LOG_FILE" in self.environment


def of(
    settings: Settings,
    environment: Mapping[str, str],
    command: tuple[str, ...],
    *,
    config: Path | None = None,
) -> Launch:
    """What the service of these settings starts.

    Args:
        settings: As read.
        environment: The variables of the command that is typed.
        command: The program's absolute path and its arguments.
        config: The settings file that was named as an option.

    Raises:
        AgentError: A variable that the service needs cannot be written down.
    """
    told = carried(environment)
    told |= {f"{PREFIX}STATE_DIR": str(settings.state_dir)}
    if config is not None:
        told |= {CONFIG_VARIABLE: str(config.absolute())}
    for name, value in told.items():
        _check(name, value)
    domain, user = environment.get("USERDOMAIN"), environment.get("USERNAME", "")
    config_home = Path(environment.get("XDG_CONFIG_HOME", ""))
    return Launch(
        command=command,
        environment=dict(sorted(told.items())),
        home=settings.home,
        state_dir=settings.state_dir,
        user=f"{domain}\\{user}" if domain and user else user,
        config_home=config_home if config_home.is_absolute() else None,
    )


def carried(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of an environment that a service carries."""
    return {name: environment[name] for name in environment if is_carried(name)}


def is_carried(name: str) -> bool:
    """Whether a service carries a variable of this name."""
    if name.startswith(PREFIX):
        return name != SECRET_VARIABLE
    return name.upper() in PROXY_VARIABLES or name in TRUST_VARIABLES | PLACE_VARIABLES


def command_of(executable: Path, names: Iterable[str]) -> tuple[str, ...]:
    """The installed command that starts the daemon.

    Args:
        executable: The Python of this environment.
        names: What lies in its folder.

    Raises:
        AgentError: The command does not lie there.
    """
    there = frozenset(names)
    # On Windows a program without a console, or its window would stand open all day.
    if "pythonw.exe" in there:
        return (str(executable.with_name("pythonw.exe")), "-P", "-m", "agent")
    if "parity-agent" in there:
        return (str(executable.with_name("parity-agent")),)
    raise AgentError(
        f"there is no parity-agent beside {executable}",
        advice="install it into an environment of its own: pip install 'build-parity[agent]'",
    )


def _check(name: str, value: str) -> None:
    if len(value) > VALUE_MAX or not value.isprintable():
        raise AgentError(
            f"the variable {name} cannot be written into a service",
            advice=f"give it one line of at most {VALUE_MAX} characters, or unset it",
        )
