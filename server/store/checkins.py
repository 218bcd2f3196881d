"""One check-in: who sent it, whether it is new, and what it changes.

The slow way, for whatever is not just what the machine said the last time; see
`server.store.batches` for the rest. A machine's messages are ordered by (epoch, seq): one
told again is answered and changes nothing, one from the past is answered with `resync`, and
so is one that goes on from what a database that was put back from a backup does not know
(`server.store.restores`); everything else is taken. An epoch that the machine had left is
remembered with its time: two laptops that share an identity make each other draw a new one,
again and again. So are other words under a (epoch, seq) that was told: such two count in step.
Afterwards the machine has the short way again, if it follows its verdict and nothing is wanted
of it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from msgspec import Struct
from sqlalchemy import Connection

from agent.wire import Ack, CheckIn
from server.current import Current
from server.errors import RequestRefused
from server.store import wishes
from server.store.acks import HURRY_S, next_s, tag_of
from server.store.machines import Machine, change, find, seen
from server.store.moves import held_by, settle, stood, take
from server.store.steps import Step, Way, told_by, way
from server.tokens import hash_token

PAST_EPOCHS_MAX = 4
"""How many past epochs of a machine are remembered: enough to see two laptops alternate."""

ALTERNATIONS_MAX = 4
"""How many times of a past epoch's speaking are remembered."""


class Arrival(Struct, frozen=True):
    """A check-in with who sent it.

    A `Struct`: it is made for every check-in, and a frozen dataclass takes a microsecond more.

    Attributes:
        machine_id: As its token says.
        token: The token itself, to be compared with the stored hash.
        key: By `key_of`.
        message: The check-in.
    """

    machine_id: str
    token: str
    key: str
    message: CheckIn


class Taken(Struct, frozen=True):
    """What became of a check-in.

    Attributes:
        ack: Its answer.
        group: The machine's, if what it tells of use is new; None for a check-in that was
            told before, or that its machine has to tell anew.
    """

    ack: Ack
    group: str | None


def one(conn: Connection, current: Current, arrival: Arrival, now: int, interval_s: int) -> Taken:
    """Takes one check-in in the writer's transaction and answers it.

    Raises:
        RequestRefused: The token is not (any more) a machine's (401).
    """
    message = arrival.message
    machine = signed(conn, arrival.machine_id, hash_token(arrival.token))
    if message.epoch in machine.past_epochs.split():
        alternated = _alternate(conn, current, machine, now)
        return Taken(_answer(conn, alternated, now, interval_s, resync=True), None)
    if message.epoch == machine.epoch and message.seq <= machine.seq:
        is_past = message.seq < machine.seq
        if not is_past and (message.profile, message.agent) != (machine.claimed, machine.agent):
            # One laptop says the same again: two of one identity count in step.
            machine, is_past = _alternate(conn, current, machine, now), True
        return Taken(_answer(conn, machine, now, interval_s, resync=is_past), None)
    if _leaves_out(current, machine, message):
        return Taken(_answer(conn, machine, now, interval_s, resync=True), None)
    accepted = _accept(conn, current, machine, arrival, now)
    return Taken(_answer(conn, accepted, now, interval_s), accepted.group)


def key_of(token: str, message: CheckIn) -> str:
    """A digest of all that an unchanged check-in repeats, the token included. Pure."""
    # None of the parts can hold a space.
    said = f"{token} {message.epoch} {message.profile} {message.agent}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def authenticated(conn: Connection, machine_id: str, token_hash: str) -> Machine:
    """The live machine that a token is for, also one that was given out and never used yet.

    Raises:
        RequestRefused: The token is unknown, or its machine left (401).
    """
    machine = find(conn, machine_id)
    if machine is None or machine.left_at is not None:
        raise unauthorised()
    if token_hash not in {machine.token_hash, machine.next_token_hash}:
        raise unauthorised()
    return machine


def signed(conn: Connection, machine_id: str, token_hash: str) -> Machine:
    """The live machine that tells something with a token: its first use ends the one before.

    Raises:
        RequestRefused: As `authenticated`.
    """
    machine = authenticated(conn, machine_id, token_hash)
    if token_hash == machine.token_hash:
        return machine
    change(conn, machine_id, {"token_hash": token_hash, "next_token_hash": None})
    seen(conn, machine_id, {"key": None})  # the short way was the other token's
    return replace(machine, token_hash=token_hash, next_token_hash=None)


def unauthorised() -> RequestRefused:
    """The answer to a token that is no machine's, whatever the reason: 401."""
    return RequestRefused(
        "this token belongs to no enrolled machine",
        advice="enrol this machine anew with `parity-agent enrol --again`",
        status=401,
    )


def _leaves_out(current: Current, machine: Machine, message: CheckIn) -> bool:
    """Whether check-ins came before this one that a restored database does not have.

    An agent counts on by one with each ack. Whoever has spoken since the restore is known.
    """
    is_unheard = machine.last_seen <= current.restored_at
    return is_unheard and message.epoch == machine.epoch and message.seq > machine.seq + 1


def _alternate(conn: Connection, current: Current, machine: Machine, now: int) -> Machine:
    """Notes that what cannot be of the machine's own was said: perhaps it is two laptops."""
    times = [*machine.alternations.split(), str(now)][-ALTERNATIONS_MAX:]
    old = stood(conn, current, machine, now)
    alternated = replace(machine, alternations=" ".join(times))
    return settle(conn, current, old, (alternated, old.verdict), now, now)


def _accept(
    conn: Connection, current: Current, machine: Machine, arrival: Arrival, now: int
) -> Machine:
    message = arrival.message
    steps = told_by(message, machine.claimed, machine.last_seen, machine.numbered, now)
    spoken = replace(
        machine,
        last_seen=now,
        epoch=message.epoch,
        past_epochs=_past_epochs(machine, message.epoch),
        agent=message.agent,
        claimed=message.profile,
        numbered=machine.numbered + len(steps),
        paused_until=now + message.paused_s if message.paused_s else None,
    )
    moved = follow(conn, current, machine, spoken, steps, now)
    verdict = held_by(conn, moved) if moved.settled and moved.exception is None else None
    short_way = {"key": arrival.key if verdict else None, "verdict_id": verdict and verdict.id}
    seen(conn, machine.id, {"last_seen": now, "seq": message.seq, **short_way})
    return moved


def follow(
    conn: Connection,
    current: Current,
    old: Machine,
    spoken: Machine,
    steps: Sequence[Step],
    now: int,
) -> Machine:
    """A machine takes what it named, as far as the bytes are known; the rest is wished for.

    Args:
        conn: The writer's transaction.
        current: What is true now.
        old: As it is stored.
        spoken: The same with what it said now.
        steps: What it tells now; earlier wishes that came true are added.
        now: The server's clock.
    """
    if old.settled and not steps:
        return take(conn, current, old, spoken, Way((), None, ()), now)
    pending = () if old.settled else wishes.wished(conn, old.id)
    named = (*pending, *steps)
    present = spoken.claimed or ""
    found = way(named, present, wishes.ids_of(conn, [step.digest for step in named]), now)
    if pending or found.wishes:
        wishes.replace(conn, old.id, found.wishes)
    spoken = replace(spoken, settled=int(not found.wishes))
    return take(conn, current, old, spoken, found, now)


def _past_epochs(machine: Machine, epoch: str) -> str:
    past = machine.past_epochs.split()
    if machine.epoch is not None and machine.epoch != epoch:
        past.append(machine.epoch)
    return " ".join(past[-PAST_EPOCHS_MAX:])


def _answer(
    conn: Connection, machine: Machine, now: int, interval_s: int, *, resync: bool = False
) -> Ack:
    verdict = held_by(conn, machine)
    lacking = () if machine.settled else wishes.lacking(conn, machine.id, machine.claimed)
    return Ack(
        machine.standing(verdict),
        tag_of(verdict.tag if verdict else None, machine.exception, machine.stand_tag),
        next_s(
            machine.id,
            interval_s,
            now,
            hurry=bool(lacking or resync or (verdict and verdict.settling))
            or machine.may_change(now + HURRY_S),
        ),
        lacking,
        resync,
    )
