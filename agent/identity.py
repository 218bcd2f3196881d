"""Who this machine is to its server: the enrolment on disk.

Two small files in the state folder, each replaced whole (`agent.state_files`):

* ``enrolling.json`` is written before the request is sent and holds its random key, and the
  machine's name if one was made. An answer that got lost is asked for again with the same
  key and names the same machine.
* ``identity.json`` is written when the answer has come, and ends the first one. It keeps the
  random key, which gets the machine its next token, and is written again with that before the
  token is used: killed anywhere in between, the agent has one that holds. A file that comes
  back from a backup may hold one that has ended; its key gets another.

The enrolment secret is in neither: it is used once and forgotten. Who writes ``identity.json``
holds a lock: a token that was asked for does not undo an enrolment made meanwhile.
"""

import os
import secrets
import stat
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent import labels, lock, state_files
from agent.errors import IdentityError
from agent.settings import SECRET_VARIABLE, checked_url

SECRET_MAX_BYTES = 4_096
"""Largest secret file that is read, in bytes."""

LOCK_TIMEOUT_S = 10.0
"""Seconds to wait for another command that writes the enrolment."""

_ENROL = "parity-agent enrol"
_FILE = "identity.json"


@dataclass(frozen=True)
class Wish:
    """What a person asks an enrolment for.

    Attributes:
        server_url: Where.
        label: The machine's name; None has one made.
        owner: Who to ask about it.
        group: Wished for; the secret decides.
    """

    server_url: str
    label: str | None = None
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
        key: What it was enrolled with, sent for the next token alone; an older agent's file
            has none, and keeps its token.
    """

    server_url: str
    machine: str
    token: str = field(repr=False)
    label: str
    group: str
    owner: str | None = None
    key: str | None = field(default=None, repr=False)

    def is_machine_of(self, other: "Identity | None") -> bool:
        """Whether both are one enrolment, whatever token has its turn."""
        return other is not None and replace(other, token=self.token) == self


@dataclass(frozen=True)
class Renewal:
    """How a machine gets its next token, and where that is kept.

    Attributes:
        state_dir: Of its enrolment.
        who: The enrolment.
    """

    state_dir: Path
    who: Identity

    @property
    def token(self) -> str:
        """The token that is on disk now: another command may have renewed it.

        Raises:
            IdentityError: The state folder cannot be read.
        """
        kept = load(self.state_dir)
        return kept.token if kept is not None and kept.is_machine_of(self.who) else self.who.token

    def keep(self, token: str) -> None:
        """Keeps the next token in place of the present one, unless the machine has changed.

        Raises:
            AgentError: The state folder cannot be written.
        """
        with _changing(self.state_dir):
            kept = load(self.state_dir)
            if kept is not None and kept.is_machine_of(self.who):
                state_files.replace(self.state_dir / _FILE, replace(kept, token=token))


@dataclass(frozen=True)
class Begun:
    """An enrolment that was asked for and has no answer yet.

    Attributes:
        wish: What it was asked for with.
        key: Random; repeated until there is an answer.
        label: The machine's name, as wished or made; an older agent's file has none.
    """

    wish: Wish
    key: str
    label: str | None = None

    @property
    def named(self) -> Wish:
        """The wish with the machine's name in it."""
        return replace(self.wish, label=self.label or self.wish.label)


def load(state_dir: Path) -> Identity | None:
    """The enrolment of this machine, or None if it has none yet.

    Raises:
        IdentityError: The file is there and cannot be used.
    """
    identity = state_files.load(state_dir / _FILE, Identity, then=_ENROL)
    if identity is not None:
        _refuse_bad_url(identity)
    return identity


def is_as_wished(who: Identity, wish: Wish) -> bool:
    """Whether an enrolment is what a wish asks for: the server, and the name if one is. Pure."""
    return who.server_url == wish.server_url and wish.label in {None, who.label}


def begin(state_dir: Path, wish: Wish) -> Begun:
    """The key and the name for a wish, kept on disk before they are sent.

    The same wish gets the same until it is answered: the server then returns the machine
    that it may have made already.

    Raises:
        IdentityError: The state folder cannot be read or written.
    """
    path = state_dir / "enrolling.json"
    begun = state_files.load(path, Begun, then=_ENROL)
    if begun is None or begun.wish != wish:
        label = wish.label or labels.made(wish.owner, sys.platform, _random())
        begun = Begun(wish, secrets.token_hex(16), label)
        state_files.replace(path, begun)
    return begun


def suggested(state_dir: Path, wish: Wish) -> str:
    """A name to offer a person: that of an enrolment there without an answer, or one made.

    Who takes it asks again for what may have been made already.

    Raises:
        IdentityError: The state folder cannot be read.
    """
    begun = state_files.load(state_dir / "enrolling.json", Begun, then=_ENROL)
    if begun is not None and begun.label and begun.wish.server_url == wish.server_url:
        return begun.label
    return labels.made(wish.owner, sys.platform, _random())


def draw_again(state_dir: Path) -> None:
    """Forgets what was begun: the next try has another key, and another name if one is made.

    Raises:
        IdentityError: The state folder cannot be written.
    """
    state_files.remove(state_dir / "enrolling.json")


def forget(state_dir: Path) -> None:
    """Removes the enrolment, also one that was only begun.

    Raises:
        IdentityError: The state folder cannot be written.
    """
    state_files.remove(state_dir / _FILE)
    draw_again(state_dir)


def keep(state_dir: Path, identity: Identity) -> None:
    """Keeps a confirmed enrolment, in place of any earlier one.

    Raises:
        AgentError: The state folder cannot be written.
    """
    with _changing(state_dir):
        state_files.replace(state_dir / _FILE, identity)
        draw_again(state_dir)


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


def _random() -> str:
    return secrets.token_hex(labels.RANDOM_DIGITS // 2)


def is_exposed(file: Path) -> bool:
    """Whether other users of this machine may read a file; never said on Windows.

    Raises:
        IdentityError: It cannot be looked at.
    """
    try:
        mode = file.stat().st_mode
    except OSError as error:
        raise _unreadable(file) from error
    # A pipe that a shell made for the purpose is gone when it was read.
    return os.name == "posix" and stat.S_ISREG(mode) and bool(mode & (stat.S_IRGRP | stat.S_IROTH))


def _changing(state_dir: Path) -> AbstractContextManager[None]:
    return lock.held(
        state_dir / "identity.lock", timeout_s=LOCK_TIMEOUT_S, holder="another command"
    )


def _secret_of(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            text = stream.read(SECRET_MAX_BYTES + 1).decode("utf-8").strip()
    except (OSError, ValueError) as error:
        raise _unreadable(file) from error
    if not text or len(text) > SECRET_MAX_BYTES:
        raise IdentityError(
            f"the secret file {file} is empty or too large",
            advice="put the enrolment secret in it and nothing else",
        )
    return text


def _unreadable(file: Path) -> IdentityError:
    return IdentityError(f"cannot read the secret file {file}", advice="name a readable text file")


def _refuse_bad_url(identity: Identity) -> None:
    try:
        checked_url(identity.server_url)
    except ValueError as error:
        raise IdentityError(
            f"the enrolment's server address {error}",
            advice="run: parity-agent enrol --server https://...",
        ) from error
