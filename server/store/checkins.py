"""One check-in: who sent it, whether it is new, and what it changes.

The slow way, for whatever is not just what the machine said the last time; see
`server.store.batches` for the rest. A machine's messages are ordered by (epoch, seq): one
told again is answered and changes nothing, one from the past is answered with `resync`,
and everything else is taken. Afterwards the machine has the short way again, if it
follows its verdict and nothing is wanted of it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from agent.wire import Ack, CheckIn
from server.current import Current
from server.errors import RequestRefused
from server.store import wishes
from server.store.acks import next_s, tag_of
from server.store.machines import Machine, change, find, seen
from server.store.moves import held_by, take
from server.store.steps import Step, Way, told_by, way
from server.tokens import hash_token

PAST_EPOCHS_MAX = 4
"""How many past epochs of a machine are remembered: enough to see two laptops alternate."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A check-in with who sent it.

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


def one(conn: Connection, current: Current, arrival: Arrival, now: int, interval_s: int) -> Ack:
    """Takes one check-in in the writer's transaction and answers it.

    Raises:
        RequestRefused: The token is not (any more) a machine's (401).
    """
    message = arrival.message
    machine = authenticated(conn, arrival.machine_id, hash_token(arrival.token))
    repeated = message.epoch == machine.epoch and message.seq == machine.seq
    if repeated:
        return _answer(conn, machine, now, interval_s)
    if _is_past(message, machine):
        return _answer(conn, machine, now, interval_s, resync=True)
    return _answer(conn, _accept(conn, current, machine, arrival, now), now, interval_s)


def key_of(token: str, message: CheckIn) -> str:
    """A digest of all that an unchanged check-in repeats, the token included. Pure."""
    # None of the parts can hold a space.
    said = f"{token} {message.epoch} {message.profile} {message.agent}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def authenticated(conn: Connection, machine_id: str, token_hash: str) -> Machine:
    """The live machine that a token is for.

    Raises:
        RequestRefused: The token is unknown, or its machine left (401).
    """
    machine = find(conn, machine_id)
    if machine is None or machine.token_hash != token_hash or machine.left_at is not None:
        raise unauthorised()
    return machine


def unauthorised() -> RequestRefused:
    """The answer to a token that is no machine's, whatever the reason: 401."""
    return RequestRefused(
        "this token belongs to no enrolled machine",
        advice="enrol this machine again with `parity-agent enrol`",
        status=401,
    )


def _is_past(message: CheckIn, machine: Machine) -> bool:
    if message.epoch == machine.epoch:
        return message.seq < machine.seq
    return message.epoch in machine.past_epochs.split()


def _accept(
    conn: Connection, current: Current, machine: Machine, arrival: Arrival, now: int
) -> Machine:
    message = arrival.message
    steps = told_by(message, machine.claimed, machine.last_seen, machine.numbered, now)
    moved = follow(conn, current, machine, message.profile, steps, now)
    told = {
        "epoch": message.epoch,
        "past_epochs": _past_epochs(machine, message.epoch),
        "agent": message.agent,
        "claimed": message.profile,
        "numbered": machine.numbered + len(steps),
    }
    change(conn, machine.id, told)
    verdict = held_by(conn, moved) if moved.settled and moved.exception is None else None
    short_way = {"key": arrival.key if verdict else None, "verdict_id": verdict and verdict.id}
    seen(conn, machine.id, {"last_seen": now, "seq": message.seq, **short_way})
    return replace(moved, claimed=message.profile)


def follow(
    conn: Connection,
    current: Current,
    machine: Machine,
    present: str,
    steps: Sequence[Step],
    now: int,
) -> Machine:
    """A machine takes what it named, as far as the bytes are known; the rest is wished for.

    Args:
        conn: The writer's transaction.
        current: What is true now.
        machine: As it is stored.
        present: The digest that it named last.
        steps: What it tells now; earlier wishes that came true are added.
        now: The server's clock.
    """
    if machine.settled and not steps:
        return take(conn, current, machine, Way((), None, ()), now)
    pending = () if machine.settled else wishes.wished(conn, machine.id)
    named = (*pending, *steps)
    found = way(named, present, wishes.ids_of(conn, [step.digest for step in named]), now)
    if pending or found.wishes:
        wishes.replace(conn, machine.id, found.wishes)
    settled = int(not found.wishes)
    if settled != machine.settled:
        change(conn, machine.id, {"settled": settled})
    return replace(take(conn, current, machine, found, now), settled=settled)


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
    hurry = bool(lacking or resync or (verdict and verdict.settling))
    return Ack(
        machine.standing(verdict),
        tag_of(verdict.tag if verdict else None, machine.exception),
        next_s(machine.id, interval_s, now, hurry=hurry),
        lacking,
        resync,
    )
