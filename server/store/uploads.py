"""Profiles as bytes: what is accepted, from whom, and what follows from it."""

import re
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, func, insert, select

from agent.digest import canonical, of_bytes
from agent.wire import PROFILE_MAX_BYTES, WIRE_VERSIONS, Profile
from server.current import Current
from server.errors import RequestRefused
from server.store import wishes
from server.store.checkins import follow, signed
from server.store.tables import profiles

NEW_PROFILES_MAX = 20
"""Most profiles new to the server that one machine may send in `NEW_PROFILES_S`."""

NEW_PROFILES_S = 3600
"""The time over which they are counted, in seconds."""

_decoder = msgspec.json.Decoder(Profile)
_PATH = re.compile(r" - at `(.+)`$")


@dataclass(frozen=True)
class Upload:
    """The bytes of a profile, and who sent them.

    Attributes:
        machine_id: As its token says.
        token_hash: Of the token that it came with.
        digest: Of the bytes.
        body: Canonical JSON, checked.
    """

    machine_id: str
    token_hash: str
    digest: str
    body: bytes


def check(digest: str, body: bytes) -> None:
    """Checks that bytes are a profile in its one canonical form, of this digest. Pure.

    Raises:
        RequestRefused: 413 too large; 409 other bytes; 422 no profile, or not canonical.
    """
    if len(body) > PROFILE_MAX_BYTES:
        raise RequestRefused(
            f"a profile of {len(body)} bytes is too large",
            advice=f"send at most {PROFILE_MAX_BYTES} bytes",
            status=413,
        )
    if of_bytes(body) != digest:
        raise RequestRefused(
            "the digest is not of these bytes",
            advice="send the very bytes that were digested",
            status=409,
        )
    profile = _read(body)
    if profile.wire not in WIRE_VERSIONS:
        raise _unreadable(f"wire version {profile.wire} is not read here", "$.wire")
    if _canonical(profile) != body:
        raise _unreadable("the profile is not in canonical form (RFC 8785, defaults left out)")


def _read(body: bytes) -> Profile:
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError as error:
        found = _PATH.search(str(error))
        sentence = _PATH.sub("", str(error))
        raise _unreadable(f"not a profile: {sentence}", found[1] if found else "$") from error
    except msgspec.DecodeError as error:
        raise _unreadable(f"not JSON: {error}") from error


def _canonical(profile: Profile) -> bytes:
    try:
        return canonical(profile)
    except ValueError as error:
        raise _unreadable(f"the profile has no canonical form: {error}") from error


def _unreadable(reason: str, path: str | None = None) -> RequestRefused:
    return RequestRefused(
        reason, advice="send a profile as this wire version has it", status=422, path=path
    )


def receive(conn: Connection, current: Current, upload: Upload, now: int) -> None:
    """Keeps a checked profile; the machine takes it if it is what the machine last named.

    Raises:
        RequestRefused: 401; 403 it was not asked for; 429 too many new ones.
    """
    machine = signed(conn, upload.machine_id, upload.token_hash)
    if not wishes.is_wished(conn, machine.id, upload.digest):
        if wishes.has_taken(conn, machine.id, upload.digest):
            return  # sent again: its answer was lost
        raise RequestRefused(
            "this profile was not asked for",
            advice="check in first, and send what the answer wants",
            status=403,
        )
    if not wishes.ids_of(conn, [upload.digest]):
        _check_rate(conn, machine.id, now)
        conn.execute(
            insert(profiles).values(
                digest=upload.digest, body=upload.body, received_at=now, sent_by=machine.id
            )
        )
    # A machine that is silent speaks by a check-in alone.
    if machine.exception != "silent" and machine.claimed is not None:
        follow(conn, current, machine, machine, (), now)


def _check_rate(conn: Connection, machine_id: str, now: int) -> None:
    oldest = now - NEW_PROFILES_S
    sent = select(func.count(), func.min(profiles.c.received_at)).where(
        profiles.c.sent_by == machine_id, profiles.c.received_at > oldest
    )
    number, first = conn.execute(sent).one()
    if number >= NEW_PROFILES_MAX:
        raise RequestRefused(
            f"this machine sent {number} new profiles within an hour",
            advice="send the next one later",
            status=429,
            retry_after_s=max(1, first - oldest),
        )
