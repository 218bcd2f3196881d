"""What macOS and Linux share: the login shell out of the user database."""

import os
import pwd
from collections.abc import Mapping
from pathlib import Path, PurePosixPath


def login_shell(environment: Mapping[str, str], *, system_root: Path | None, fallback: str) -> str:
    """Base name of the user's login shell.

    The user database knows it for certain (passwd(5)); ``$SHELL`` may name the shell of
    another user after ``su``. A scratch machine has no user database, only ``$SHELL``.

    Args:
        environment: Holds ``SHELL``, perhaps.
        system_root: Set for a scratch machine.
        fallback: The system's own default shell.
    """
    shell = "" if system_root is not None else _from_user_database()
    shell = shell or environment.get("SHELL", "")
    return PurePosixPath(shell).name or fallback


def _from_user_database() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_shell
    except KeyError:
        # A user of a directory service may be in no database that answers now.
        return ""
