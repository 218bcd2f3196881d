"""The small files of the state folder: readable by their owner alone, each replaced whole.

A file is written beside, synced and renamed, and its folder synced, so that a power cut
leaves the old or the new one and never half of one.
"""

import os
import secrets
import stat
from pathlib import Path
from typing import TypeVar

import msgspec

from agent.errors import IdentityError

FILE_MAX_BYTES = 16_384
"""Largest small file that is read, in bytes."""

# A home may be read-only, or roam between machines; its state must not.
_ELSEWHERE = "set state_dir (PARITY_AGENT_STATE_DIR) to a folder on a disk of this machine"

_Kept = TypeVar("_Kept")


def prepare(state_dir: Path) -> None:
    """Makes the state folder, for its owner alone.

    Raises:
        IdentityError: It cannot be made, or this user may not write in it.
    """
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(state_dir, error) from error
    if not os.access(state_dir, os.W_OK | os.X_OK):
        raise IdentityError(
            f"this user may not write in {state_dir}",
            advice=f"give the folder to this user, or {_ELSEWHERE}",
        )


def load(path: Path, kind: type[_Kept], *, then: str) -> _Kept | None:
    """What a file holds, or None if there is none.

    Args:
        path: The file.
        kind: What it should hold.
        then: The command that makes it anew, for people to read.

    Raises:
        IdentityError: It cannot be read, is damaged, or others may read it.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(FILE_MAX_BYTES + 1)
            mode = os.fstat(stream.fileno()).st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error) from error
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise IdentityError(
            f"{path} can be read by others", advice=f"chmod 600 {path}, and run: {then}"
        )
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, ValueError) as error:
        raise IdentityError(
            f"{path} is damaged", advice=f"remove {path} and run: {then}"
        ) from error


def replace(path: Path, value: object) -> None:
    """Keeps a value as JSON, in place of what the file held.

    Raises:
        IdentityError: The folder cannot be written.
    """
    replace_bytes(path, msgspec.json.encode(value))


def replace_bytes(path: Path, data: bytes) -> None:
    """Keeps bytes in place of what the file held, readable by their owner alone.

    Raises:
        IdentityError: The folder cannot be written.
    """
    prepare(path.parent)
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise _unusable(path, error) from error


def remove(path: Path) -> None:
    """Removes a file, or leaves it missing.

    Raises:
        IdentityError: The folder cannot be written.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _unusable(path, error) from error


def _sync_folder(folder: Path) -> None:
    # A rename is durable only with its folder; Windows cannot open one, and need not.
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unusable(path: Path, error: OSError) -> IdentityError:
    return IdentityError(
        f"cannot use {path}: {error.strerror}",
        advice=f"check the folder's owner and free space, or {_ELSEWHERE}",
    )
