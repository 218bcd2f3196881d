"""Enrolling this machine: one request, made by a person, safe to repeat.

The random key is on disk before the request leaves, so an answer that got lost is asked
for again and names the same machine. The secret is used once and kept nowhere.
"""

import time

import msgspec

from agent import answers, digest, identity
from agent.errors import IdentityError
from agent.identity import Identity, Wish
from agent.journal import open_journal
from agent.pause_file import Pauses
from agent.settings import Settings
from agent.transport import Transport
from agent.wire import WIRE_VERSION, Enrolment

UNTOLD_SECRET = "<the enrolment secret>"  # noqa: S105 - stands where the secret is not shown
"""Stands in the enrolment's bytes wherever they are shown or remembered."""


def message(wish: Wish, *, secret: str, key: str) -> bytes:
    """The canonical bytes of an enrolment.

    Raises:
        IdentityError: A name, the group or the secret is not one that can be sent.
    """
    body = digest.canonical(
        Enrolment(
            wire=WIRE_VERSION,
            secret=secret,
            label=wish.label,
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


def enrol(settings: Settings, wish: Wish, secret: str) -> Identity:
    """Asks the server for an identity and keeps it.

    Raises:
        IdentityError: The wish or the state folder cannot be used.
        ExchangeError: The server was not reached, or refused.
        JournalError: The journal cannot be written.
    """
    key = identity.begin(settings.state_dir, wish)
    body = message(wish, secret=secret, key=key)
    with Transport(settings, wish.server_url, None) as transport:
        answer = answers.enrolled(transport.send("POST", "v1/enrolments", body))
    enrolled = Identity(
        server_url=wish.server_url,
        machine=answer.machine,
        token=answer.token,
        label=wish.label,
        group=answer.group,
        owner=wish.owner,
    )
    journal = open_journal(settings.state_dir)
    try:
        # Another machine's conversation is not continued, nor its last word shown.
        journal.begin_epoch()
        journal.forget()
        shown = message(wish, secret=UNTOLD_SECRET, key=key)
        journal.remember("enrolment", shown, int(time.time()))
    finally:
        journal.close()
    identity.keep(settings.state_dir, enrolled)
    Pauses(settings.state_dir).tell_again()
    return enrolled
