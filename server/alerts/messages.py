"""From an outbox row to what people read: a title, facts, points with their fixes. Pure.

A message is values, not text: each destination renders times, commands and names in its
own way and knows its own escapes. The fix is rendered from the same closed table as on
the laptop (`agent.fix`), so that nothing a laptop reports can become a command.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from agent.fix import render
from agent.wire import FindingView
from server.alerts import bodies
from server.alerts.bodies import Changed, Incident, Word
from server.alerts.planning import Parcel
from server.alerts.rows import Row
from server.rules import rules


@dataclass(frozen=True)
class Fact:
    """A name with its value.

    Attributes:
        name: One or two words.
        text: The value; may be typed by a person.
        at: The value instead, where it is a moment, in whole seconds since the epoch.
    """

    name: str
    text: str = ""
    at: int | None = None


@dataclass(frozen=True)
class Point:
    """One thing that differs.

    Attributes:
        sentence: What differs.
        since: Since when, in whole seconds since the epoch.
        is_estimated: `since` is an estimate.
        deadline: When its grace ends, or ended.
        is_late: The deadline had passed when the change happened.
        fix: What to do: a command, or an instruction for a person.
        is_command: `fix` can be pasted and run.
    """

    sentence: str
    since: int | None = None
    is_estimated: bool = False
    deadline: int | None = None
    is_late: bool = False
    fix: str | None = None
    is_command: bool = False


@dataclass(frozen=True)
class Message:
    """What is told at once.

    Attributes:
        told: In which word; a summary of several has None.
        title: One line.
        lead: One or two sentences; None where the title says it all.
        facts: At most five.
        points: At most `bodies.FINDINGS_MAX`, worst first.
        note: What else happened and is not told by itself.
    """

    told: Word | None
    title: str
    lead: str | None = None
    facts: tuple[Fact, ...] = ()
    points: tuple[Point, ...] = ()
    note: str | None = None


def message(parcel: Parcel) -> Message:
    """What is told of a parcel.

    Raises:
        msgspec.DecodeError: A row is none that this code wrote: a bug of ours.
    """
    if not parcel.in_full:
        return _summary((parcel.row, *parcel.counted))
    if parcel.row.told == "operator":
        return _of_incident(bodies.decode_incident(parcel.row.body))
    body = bodies.decode_changed(parcel.row.body)
    told = _of_machine(body) if body.kind == "machine" else _of_fleet(body)
    return replace(told, note=_more(parcel.counted)) if parcel.counted else told


def _of_incident(incident: Incident) -> Message:
    name = "Ended" if incident.over else "Since"
    title = "An operator's incident is over" if incident.over else "The operator is needed"
    return Message("operator", title, lead=incident.text, facts=(Fact(name, at=incident.at),))


_MACHINE_TITLES = {
    "drifted": "{} drifted",
    "healed": "{} no longer drifts",
    "unknown": "{} has been unknown for an hour",
}

_UNKNOWN = "There is not enough evidence to say whether it runs what the public runs."


def _of_machine(body: Changed) -> Message:
    label = next(iter(body.labels), "a machine")
    more = f"{body.more_findings} more findings are on its page." if body.more_findings else None
    return Message(
        told=body.told,
        title=_MACHINE_TITLES[body.told].format(label),
        lead=" ".join(_machine_leads(body)) or None,
        facts=(
            Fact("Machine", label),
            Fact("Group", body.group),
            Fact("Since", at=_since(body)),
            Fact("Cause", body.cause),
        ),
        points=tuple(_point(item, body.at) for item in body.findings),
        note=more,
    )


def _machine_leads(body: Changed) -> Iterator[str]:
    if body.away_s is not None:
        # A pause ends by itself too: then the machine has not spoken yet.
        yield f"Nothing was heard of it for {span(body.away_s)}."
    if body.waiver_ended:
        yield "The waiver for this holds no longer."
    if body.told == "unknown":
        yield _UNKNOWN
    if body.told == "healed":
        yield f"It now stands as: {body.after}."


def span(seconds: int) -> str:
    """A length of time as people say it: in its largest whole unit, minutes at least."""
    unit, number = next(
        ((unit, seconds // length_s) for unit, length_s in _UNITS if seconds >= length_s),
        ("minute", 1),
    )
    return f"{number} {unit}" + ("" if number == 1 else "s")


_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))


def _since(body: Changed) -> int:
    # A machine drifts since its first drifting finding; it heals when it does.
    dates = [item.since for item in body.findings if item.severity == "drift" and item.since]
    return min(dates, default=body.at) if body.told == "drifted" else body.at


_FLEET_TITLES = {
    "drifted": ("1 machine drifted", "{:,} machines drifted"),
    "healed": ("1 machine no longer drifts", "{:,} machines no longer drift"),
    "unknown": (
        "1 machine has been unknown for an hour",
        "{:,} machines have been unknown for an hour",
    ),
}


def _of_fleet(body: Changed) -> Message:
    one, many = _FLEET_TITLES[body.told]
    profiles = "1 profile" if body.profiles == 1 else f"{body.profiles:,} profiles"
    named = "Machines" if body.machines <= len(body.labels) else "Among them"
    facts = [
        Fact("Group", body.group),
        Fact("Count", f"{body.machines:,} (with {profiles})"),
        Fact("Since", at=body.at),
        Fact("Cause", body.cause),
    ]
    if body.labels:
        facts.append(Fact(named, ", ".join(body.labels)))
    return Message(
        told=body.told,
        title=one if body.machines == 1 else many.format(body.machines),
        lead=_fleet_lead(body),
        facts=tuple(facts),
        points=_examples(body),
    )


def _examples(body: Changed) -> tuple[Point, ...]:
    points: list[Point] = []
    for item in body.findings:
        point = _point(item, body.at)
        if body.profiles > 1:
            point = replace(point, sentence=f"for example: {point.sentence}")
        if points and _same_mending(point, points[0]):
            point = Point(point.sentence)
        points.append(point)
    return tuple(points)


def _same_mending(one: Point, other: Point) -> bool:
    return (one.since, one.deadline, one.fix) == (other.since, other.deadline, other.fix)


def _fleet_lead(body: Changed) -> str | None:
    says = next((rule.says for rule in rules() if rule.code == body.cause), None)
    if says is None:
        return None
    return f"No longer so: {says}" if body.told == "healed" and not body.findings else says


def _point(finding: FindingView, now: int) -> Point:
    command = render(finding.fix) if finding.fix else None
    return Point(
        sentence=finding.sentence,
        since=finding.since,
        is_estimated=finding.estimated,
        deadline=finding.deadline,
        is_late=finding.deadline is not None and finding.deadline <= now,
        fix=command.text if command else None,
        is_command=command is not None and command.is_pasted,
    )


def _more(counted: tuple[Row, ...]) -> str:
    changes = "1 more change was" if len(counted) == 1 else f"{len(counted):,} more changes were"
    return f"and {changes} not told one by one: {_tally(counted)}"


def _summary(rows: tuple[Row, ...]) -> Message:
    changes = "1 change was" if len(rows) == 1 else f"{len(rows):,} changes were"
    return Message(
        told=None,
        title=f"{changes} not told one by one",
        lead=f"{_tally(rows)}. They are older than a day; the status page tells what holds now.",
    )


def _tally(rows: Iterable[Row]) -> str:
    changes: Counter[str] = Counter()
    machines: Counter[str] = Counter()
    for row in rows:
        changes[row.told] += 1
        machines[row.told] += bodies.decode_changed(row.body).machines
    return ", ".join(
        f"{changes[told]:,} {told}" + _machines(changes[told], machines[told])
        for told in ("drifted", "unknown", "healed")
        if changes[told]
    )


def _machines(changes: int, machines: int) -> str:
    return "" if changes == machines else f" ({machines:,} machines)"
