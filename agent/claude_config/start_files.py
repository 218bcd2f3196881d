"""Which files a login shell or a session reads before it starts anything. Pure.

Lowest precedence first: a later file's assignment replaces an earlier one's. The list is
the user's own shell alone; what another shell would export reaches no session.
"""

from collections.abc import Callable
from dataclasses import dataclass

from agent.claude_config import shell_variables
from agent.claude_config.shell_variables import Exports

Reader = Callable[[str, str], Exports]

_SYSTEM: dict[str, tuple[str, ...]] = {
    "bash": ("/etc/profile", "/etc/bashrc", "/etc/bash.bashrc"),
    "zsh": (
        "/etc/zshenv",
        "/etc/zsh/zshenv",
        "/etc/zprofile",
        "/etc/zsh/zprofile",
        "/etc/zshrc",
        "/etc/zsh/zshrc",
        "/etc/zlogin",
        "/etc/zsh/zlogin",
    ),
    "fish": ("/etc/fish/config.fish",),
}
_HOME: dict[str, tuple[str, ...]] = {
    "bash": (".profile", ".bash_login", ".bash_profile", ".bashrc"),
    "zsh": (".zshenv", ".zprofile", ".zshrc", ".zlogin"),
    "fish": (".config/fish/config.fish",),
}


@dataclass(frozen=True)
class StartFile:
    """One file to read.

    Attributes:
        name: A path below the home folder, or a system-wide one by its POSIX name.
        system: Whether it is system-wide.
        reader: What makes variables of its text.
    """

    name: str
    system: bool
    reader: Reader


FISH_SNIPPETS = ".config/fish/conf.d"
"""The folder, below home, of further fish files; fish reads them before its main one."""


def of_shell(shell: str, system: str) -> tuple[StartFile, ...]:
    """The start files of a user's login shell, lowest precedence first.

    Args:
        shell: Base name of the login shell; one that is not known here reads a profile.
        system: ``darwin``, ``linux`` or ``win32``; Windows has none.
    """
    if system == "win32":
        return ()
    read = shell_variables.fish if shell == "fish" else shell_variables.posix
    files = [StartFile("/etc/environment", system=True, reader=shell_variables.environment_file)]
    names = _SYSTEM.get(shell, ("/etc/profile",))
    files += [StartFile(name, system=True, reader=read) for name in names]
    if shell == "fish":
        universal = ".config/fish/fish_variables"
        files.append(StartFile(universal, system=False, reader=shell_variables.fish_universal))
    names = _HOME.get(shell, (".profile",))
    files += [StartFile(name, system=False, reader=read) for name in names]
    return tuple(files)
