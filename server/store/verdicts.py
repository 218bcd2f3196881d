"""The verdicts kept: one row per (profile, group), made when a machine first takes it.

Once made, a verdict is changed only by `server.store.rejudge`, so what a row says is what
the history in ``verdict_log`` says last.

A profile that a rule cannot take is a mistake of ours, which must stop neither the others nor
the laptop that has it: it is logged, `unknown` as long as nothing better was ever judged, and
tried again later.
"""

from dataclasses import dataclass

import msgspec
import structlog
from sqlalchemy import Connection, Row, insert, select

from agent.digest import of_bytes, of_value
from agent.wire import FindingView, Profile, Standing
from server.current import Current
from server.judge import Verdict, judge
from server.policy import GroupPolicy
from server.releases.ledger import Ledger
from server.store import public
from server.store.tables import profiles, verdict_log, verdicts
from server.transitions import Told

FAILED_AGAIN_S = 3600
"""When a profile is tried again that could not be judged for a mistake of ours, in seconds."""

_log = structlog.stdlib.get_logger("server.verdicts")

_verdict = msgspec.json.Decoder(Verdict)
_profile = msgspec.json.Decoder(Profile)


@dataclass(frozen=True)
class Held:
    """A verdict as it is kept.

    Attributes:
        id: Of the row.
        profile_id: The profile judged.
        group: The group that it was judged for.
        standing: Of every machine of which nothing else is true.
        since: Since when it has been this standing.
        told: What people heard last of this pair.
        tag: As in `Verdict`.
        verdict: The findings, each with the time at which it began here, where it came
            after the pair was made.
        settling: A look-up that it waits for is under way.
        next_change_at: When to look whether time has changed it.
        machines: How many stand as it says.
    """

    id: int
    profile_id: int
    group: str
    standing: Standing
    since: int
    told: Told | None
    tag: str
    verdict: Verdict
    settling: bool
    next_change_at: int | None
    machines: int


def read_profile(body: bytes) -> Profile:
    """A profile from its stored bytes."""
    return _profile.decode(body)


def write_verdict(verdict: Verdict) -> bytes:
    """A verdict as it is stored."""
    return msgspec.json.encode(verdict)


def read_verdict(body: bytes) -> Verdict:
    """A verdict from its stored bytes."""
    return _verdict.decode(body)


def held_of(row: Row[tuple[object, ...]]) -> Held:
    """A row of ``verdicts`` as a value."""
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's documented name for it
    return Held(
        id=values["id"],
        profile_id=values["profile_id"],
        group=values["group_name"],
        standing=values["standing"],
        since=values["since"],
        told=values["told"],
        tag=values["tag"],
        verdict=read_verdict(values["body"]),
        settling=bool(values["settling"]),
        next_change_at=values["next_change_at"],
        machines=values["machines"],
    )


def held(conn: Connection, profile_id: int, group: str) -> Held | None:
    """The verdict of a profile in a group, if it was ever judged there."""
    row = conn.execute(
        select(verdicts).where(verdicts.c.profile_id == profile_id, verdicts.c.group_name == group)
    ).first()
    return held_of(row) if row else None


def hold(conn: Connection, current: Current, profile_id: int, group: str, now: int) -> Held:
    """The verdict of a profile in a group; judged and kept if it is the first time."""
    known = held(conn, profile_id, group)
    return known or _first(conn, current, profile_id, group, now)


def judged(body: bytes, policy: GroupPolicy, ledger: Ledger, now: int) -> Verdict | None:
    """The verdict on a stored profile; None, and a line in the log, if a rule fails at it.

    Args:
        body: The profile's bytes.
        policy: What its group is expected to run.
        ledger: What was public.
        now: Whole seconds since the epoch.
    """
    try:
        return judge(read_profile(body), policy, ledger, now)
    except Exception:  # noqa: BLE001 - one profile must not keep the others from being judged
        _log.exception("not judged", profile=of_bytes(body))
        return None


def _unjudged(now: int) -> Verdict:
    finding = FindingView(
        code="not-examined",
        severity="unknown",
        subject="server",
        sentence="the server could not judge this profile: a mistake of the server's, which is"
        " in its log; it will try again",
    )
    return Verdict(
        state="unknown",
        findings=(finding,),
        counted=0,
        next_change_at=now + FAILED_AGAIN_S,
        lookups=frozenset(),
        tag=of_value(("unknown", finding)).removeprefix("sha256:")[:16],
    )


def _first(conn: Connection, current: Current, profile_id: int, group: str, now: int) -> Held:
    body = conn.execute(select(profiles.c.body).where(profiles.c.id == profile_id)).scalar_one()
    verdict = judged(body, current.policy(group), current.ledger, now) or _unjudged(now)
    pair = {"profile_id": profile_id, "group_name": group, "standing": verdict.standing}
    stored = write_verdict(verdict)
    conn.execute(
        insert(verdicts).values(
            **pair,
            since=now,
            # Each machine that takes a drifting pair is told by itself.
            told="drifted" if verdict.standing == "drift" else None,
            tag=verdict.tag,
            body=stored,
            settling=int(bool(verdict.lookups)),
            judged_at=now,
            next_change_at=verdict.next_change_at,
        )
    )
    conn.execute(insert(verdict_log).values(**pair, at=now, body=stored))
    if verdict.lookups:
        public.ask(conn, verdict.lookups, now)
    made = held(conn, profile_id, group)
    assert made is not None  # noqa: S101 - it was written just now
    return made
