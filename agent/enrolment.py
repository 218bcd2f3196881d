"""Enrolling this machine: one request, made by a person, safe to repeat.

The random key is on disk before the request leaves, so an answer that got lost is asked
for again and names the same machine. The secret is used once and kept nowhere; the key stays
with the identity, for the next token.
"""

import time
from dataclasses import dataclass
from http import HTTPStatus

import msgspec

from agent import answers, digest, identity, leaving
from agent.errors import ExchangeError, IdentityError
from agent.identity import Begun, Identity, Wish
from agent.journal import open_journal
from agent.pause_file import Pauses
from agent.settings import Settings
from agent.transport import Transport
from agent.wire import WIRE_VERSION, Enrolled, Enrolment

UNTOLD_SECRET = "<the enrolment secret>"  # noqa: S105 - stands where the secret is not shown
"""Stands in the enrolment's bytes wherever they are shown or remembered."""

SENT_LENGTH = "enrolment-length"
"""By what name the journal remembers how many bytes the enrolment had with its secret."""

_NAMES_TRIED = 3
"""How many names are made before one that is in use is an error."""


def message(wish: Wish, *, secret: str, key: str) -> bytes:
    """The canonical bytes of an enrolment.

    Args:
        wish: What is asked for, with the machine's name in it.
        secret: The operator's.
        key: The random enrolment key.

    Raises:
        IdentityError: A name, the group or the secret is not one that can be sent.
    """
    body = digest.canonical(
        Enrolment(
            wire=WIRE_VERSION,
            secret=secret,
            label=wish.label or "",
            key=key,
            owner=wish.owner,
            group=wish.group,
        )
    )
    try:
        msgspec.json.decode(body, type=Enrolment)
    except msgspec.ValidationError as error:
        # The message names the field and the rule, never the value.
        raise IdentityError(
            f"this cannot be enrolled: {error}",
            advice="use 1 to 80 printable characters for label and owner, a plain word for the"
            " group, and the secret exactly as your operator gave it",
        ) from error
    return body


@dataclass(frozen=True)
class Replaced:
    """What an enrolment in place of an earlier one gave.

    Attributes:
        identity: Who this machine is from now on.
        unheard: Why the earlier one's server could not be told that it ends; empty where it
            was told.
    """

    identity: Identity
    unheard: str


def enrol_again(settings: Settings, earlier: Identity, wish: Wish, secret: str) -> Replaced:
    """Makes another enrolment, and ends the earlier one, so that nobody waits for it.

    The earlier one ends first only where it has the wished label itself; by then the server has
    taken the secret, so that a wrong one ends nothing.

    Raises:
        AgentError: As `enrol`.
    """
    try:
        enrolled = enrol(settings, wish, secret)
    except ExchangeError as error:
        own = (wish.server_url, wish.label) == (earlier.server_url, earlier.label)
        if error.status != HTTPStatus.CONFLICT or not own:
            raise
        unheard = leaving.say_goodbye(settings, earlier)
        return Replaced(enrol(settings, wish, secret), unheard)
    return Replaced(enrolled, leaving.say_goodbye(settings, earlier))


def enrol(settings: Settings, wish: Wish, secret: str) -> Identity:
    """Asks the server for an identity and keeps it.

    Raises:
        AgentError: The wish or the state folder cannot be used, the server was not reached or
            refused, or the journal cannot be written.
    """
    begun, answer = _asked(settings, wish, secret)
    named = begun.named
    enrolled = Identity(
        server_url=wish.server_url,
        machine=answer.machine,
        token=answer.token,
        label=str(named.label),
        group=answer.group,
        owner=wish.owner,
        key=begun.key,
    )
    journal = open_journal(settings.state_dir)
    try:
        # Another machine's conversation is not continued, nor its last word shown.
        journal.begin_epoch()
        journal.forget()
        shown = message(named, secret=UNTOLD_SECRET, key=begun.key)
        journal.remember("enrolment", shown, int(time.time()))
        length = len(message(named, secret=secret, key=begun.key))
        journal.remember(SENT_LENGTH, str(length).encode(), int(time.time()))
    finally:
        journal.close()
    identity.keep(settings.state_dir, enrolled)
    Pauses(settings.state_dir).tell_again()
    return enrolled


def _asked(settings: Settings, wish: Wish, secret: str) -> tuple[Begun, Enrolled]:
    """The answer to a wish; a name that was made is drawn again where it is in use."""
    tries = 1 if wish.label else _NAMES_TRIED
    while True:
        tries -= 1
        begun = identity.begin(settings.state_dir, wish)
        body = message(begun.named, secret=secret, key=begun.key)
        try:
            with Transport(settings, wish.server_url, None) as transport:
                return begun, answers.enrolled(transport.send("POST", "v1/enrolments", body))
        except ExchangeError as error:
            if error.status != HTTPStatus.CONFLICT or not tries:
                raise
        identity.draw_again(settings.state_dir)
