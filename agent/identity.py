"""Who this machine is to its server: the enrolment on disk.

Two small files in the state folder, readable by their owner alone, each replaced whole
(written beside, synced, renamed, folder synced), so a power cut leaves the old or the new
one and never half of one:

* ``enrolling.json`` is written before the request is sent and holds its random key. An
  answer that got lost is asked for again with the same key and names the same machine.
* ``identity.json`` is written when the answer has come, and ends the first one.

The enrolment secret is in neither: it is used once and forgotten.
"""

import os
import secrets
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from agent.errors import IdentityError
from agent.settings import SECRET_VARIABLE, checked_url

IDENTITY_MAX_BYTES = 16_384
"""Largest identity file that is read, in bytes."""

SECRET_MAX_BYTES = 4_096
"""Largest secret file that is read, in bytes."""


@dataclass(frozen=True)
class Wish:
    """What a person asks an enrolment for.

    Attributes:
        server_url: Where.
        label: The machine's name.
        owner: Who to ask about it.
        group: Wished for; the secret decides.
    """

    server_url: str
    label: str
    owner: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class Identity:
    """An enrolment that a server has confirmed.

    Attributes:
        server_url: Whose.
        machine: The random machine id.
        token: Sent with every request; kept out of every text made of this value.
        label: The machine's name.
        group: The group that the server put it in.
        owner: Who to ask about it.
    """

    server_url: str
    machine: str
    token: str = field(repr=False)
    label: str
    group: str
    owner: str | None = None


_Kept = TypeVar("_Kept")


@dataclass(frozen=True)
class _Begun:
    wish: Wish
    key: str


def load(state_dir: Path) -> Identity | None:
    """The enrolment of this machine, or None if it has none yet.

    Raises:
        IdentityError: The file is there and cannot be used.
    """
    identity = _load(state_dir / "identity.json", Identity)
    if identity is not None:
        _refuse_bad_url(identity)
    return identity


def begin(state_dir: Path, wish: Wish) -> str:
    """The enrolment key for a wish, kept on disk before it is sent.

    The same wish gets the same key until it is answered: the server then returns the
    machine that it may have made already.

    Raises:
        IdentityError: The state folder cannot be read or written.
    """
    path = state_dir / "enrolling.json"
    begun = _load(path, _Begun)
    if begun is None or begun.wish != wish:
        begun = _Begun(wish, secrets.token_hex(16))
        _replace(path, msgspec.json.encode(begun))
    return begun.key


def keep(state_dir: Path, identity: Identity) -> None:
    """Keeps a confirmed enrolment, in place of any earlier one.

    Raises:
        IdentityError: The state folder cannot be written.
    """
    _replace(state_dir / "identity.json", msgspec.json.encode(identity))
    (state_dir / "enrolling.json").unlink(missing_ok=True)


def enrolment_secret(
    environment: Mapping[str, str], file: Path | None, ask: Callable[[], str] | None
) -> str:
    """The operator's enrolment secret: from a file, else the environment, else a person.

    Args:
        environment: The variables of the process.
        file: A file that holds the secret and nothing else.
        ask: Prompts a person; None where nobody can be asked.

    Raises:
        IdentityError: There is none, or the file cannot be read.
    """
    if file is not None:
        return _secret_of(file)
    given = environment.get(SECRET_VARIABLE) or (ask() if ask else "")
    if given.strip():
        return given.strip()
    raise IdentityError(
        "no enrolment secret was given",
        advice=f"ask your operator for one, then use --secret-file or {SECRET_VARIABLE}",
    )


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
            advice="give the folder to this user, or set state_dir to another one",
        )


def _secret_of(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            text = stream.read(SECRET_MAX_BYTES + 1).decode("utf-8").strip()
    except (OSError, ValueError) as error:
        raise IdentityError(
            f"cannot read the secret file {file}", advice="name a readable text file"
        ) from error
    if not text or len(text) > SECRET_MAX_BYTES:
        raise IdentityError(
            f"the secret file {file} is empty or too large",
            advice="put the enrolment secret in it and nothing else",
        )
    return text


def _load(path: Path, kind: type[_Kept]) -> _Kept | None:
    try:
        with path.open("rb") as stream:
            data = stream.read(IDENTITY_MAX_BYTES + 1)
            mode = os.fstat(stream.fileno()).st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error) from error
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise IdentityError(
            f"{path} can be read by others", advice=f"chmod 600 {path}, and enrol again"
        )
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, ValueError) as error:
        raise IdentityError(
            f"{path} is damaged", advice=f"remove {path} and run: parity-agent enrol"
        ) from error


def _refuse_bad_url(identity: Identity) -> None:
    try:
        checked_url(identity.server_url)
    except ValueError as error:
        raise IdentityError(
            f"the enrolment's server address {error}",
            advice="run: parity-agent enrol --server https://...",
        ) from error


def _replace(path: Path, data: bytes) -> None:
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
        advice="check the folder's owner and free space, or set state_dir to another one",
    )
