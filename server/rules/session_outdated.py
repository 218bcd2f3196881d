"""Running sessions that execute other bytes than the installed ones, or a deleted file.

A session keeps its build after an update, which takes effect at the next start (facts 0.8,
4.5). Bytes that a counted install has too are judged there; of such a session only a file that
was deleted or replaced under it is told, since it can start nothing more by its own path
(facts 5, #75355 and #86129). Other bytes are judged as an install's are, and the group's grace
runs from when users were given another build. Public bytes of the head are no complaint,
whether or not an install has them.
"""

from agent.wire import FindingView, FixRef, Session
from server.releases.identify import Altered, Identity, Public, Unknowable, Unpublished, questions
from server.releases.position import Position
from server.rules.interface import Case, Rule, Ruling, Running, earliest
from server.rules.lateness import Lateness, lateness, moment

_RESTART = FixRef("restart", "session", "again")


def _examine(case: Case) -> Ruling:
    told: dict[str, Running] = {}
    # Of equal bytes those are told whose file is gone: there is more to say of them.
    for running in sorted(case.running, key=lambda each: each.session.file == "present"):
        told.setdefault(_subject(running.session), running)
    rulings = [_rule(case, running) for running in told.values()]
    return Ruling(
        findings=tuple(item for ruling in rulings for item in ruling.findings),
        changes_at=earliest(*(ruling.changes_at for ruling in rulings)),
        lookups=frozenset().union(*(ruling.lookups for ruling in rulings)),
    )


def _rule(case: Case, running: Running) -> Ruling:
    session, identity = running.session, running.identity
    if session.build is None or identity is None:
        reason = session.reason or "it was not examined"
        return _complaint(session, "unknown", f"cannot be checked: {reason}", fix=None)
    if session.build.sha256 in {copy.sha256 for copy in case.counted}:
        return _file_gone(session)
    if isinstance(identity, Public) and running.position is not None:
        return _placed(case, session, identity.artifact.version, running.position)
    return _not_public(case, session, identity)


def _not_public(case: Case, session: Session, identity: Identity) -> Ruling:
    lookups, again = questions(identity, case.now)
    match identity:
        case Altered():
            text = f"has other bytes than the public {identity.version}"
            return _complaint(session, "drift", text)
        case Unpublished():
            text = f"was never public: {identity.reason}"
            ruling = _complaint(session, case.not_public_yet, text)
        case Unknowable():
            text = f"cannot be checked: {identity.reason}"
            ruling = _complaint(session, "unknown", text, fix=None)
        case _:
            text = "cannot be checked: its version is being looked up"
            ruling = _complaint(session, "unknown", text, fix=None)
    return Ruling(ruling.findings, again, lookups)


def _placed(case: Case, session: Session, version: str, position: Position) -> Ruling:
    late = lateness(position.replaced, case.policy.grace_s, case.now)
    lookups = frozenset[str]()
    match position.place:
        case "behind" | "withdrawn":
            ruling = _complaint(session, late.severity, _left(position), late=late)
            return Ruling(ruling.findings, earliest(position.changes_at, late.changes_at))
        case "ahead" if position.checked:
            text = f"is newer than the head of {_head(position)}"
            ruling = _complaint(session, case.not_public_yet, text)
        case "ahead":
            text = f"is newer than the head of {_head(position)}; the head is being read again"
            ruling = _complaint(session, "pending", text, fix=None)
            lookups = frozenset({version})
        case "undecidable":
            text = (
                "cannot be compared: the head of its channel is not known, or was read too long ago"
            )
            ruling = _complaint(session, "unknown", text, fix=None)
        case _:
            ruling = _file_gone(session)
    return Ruling(ruling.findings, position.changes_at, lookups)


def _file_gone(session: Session) -> Ruling:
    if session.file == "present":
        return Ruling()
    return _complaint(session, "pending", "goes on all the same")


def _left(position: Position) -> str:
    when = moment(position.replaced)
    if position.place == "withdrawn":
        return f"was withdrawn: the head was moved back to {_head(position)}" + (
            f" on {when}" if when else ""
        )
    return f"is behind: the head is {_head(position)}" + (
        f"; it was replaced {when}" if when else ""
    )


def _head(position: Position) -> str:
    assert position.head is not None  # noqa: S101 - nothing lies beside no head
    return f"{position.head.channel}, {position.head.version}"


def _complaint(
    session: Session,
    severity: str,
    text: str,
    *,
    fix: FixRef | None = _RESTART,
    late: Lateness | None = None,
) -> Ruling:
    version = session.build.version if session.build else None
    gone = f", whose file was {session.file}," if session.file != "present" else ""
    return Ruling(
        (
            FindingView(
                code="session-outdated",
                severity=severity,
                subject=_subject(session),
                sentence=f"a running session{f' of {version}' if version else ''}{gone} {text}",
                since=late.since if late else None,
                deadline=late.deadline if late else None,
                estimated=late.estimated if late else False,
                fix=fix,
            ),
        )
    )


def _subject(session: Session) -> str:
    """The same while the session runs, also when its file is replaced under it."""
    if session.build is None:
        return f"session {session.file} {session.reason or 'unknown'}"
    return f"session {session.build.version or 'unknown'} {session.build.sha256[:12]}"


RULE = Rule(
    code="session-outdated",
    says="A running session executes other bytes than the installed ones, or a deleted file.",
    mend="End the session and start it again; it then runs what is installed.",
    examine=_examine,
)
