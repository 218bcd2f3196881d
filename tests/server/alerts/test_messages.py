"""Messages: what people are told, before any mark-up."""

from collections.abc import Callable

import msgspec
import pytest

from agent.wire import FindingView, FixRef
from server.alerts import bodies
from server.alerts.bodies import Changed, Incident
from server.alerts.messages import Fact, Message, Point, message
from server.alerts.planning import Parcel
from server.alerts.rows import Row
from server.transitions import Told, Transition

Make = Callable[..., Transition]


def _row(body: Changed | Incident) -> Row:
    """A row that holds a body."""
    told = body.told if isinstance(body, Changed) else "operator"
    return Row(1, "a topic", told, bodies.encode(body), created_at=0)


def _of(change: Transition, told: Told) -> Message:
    """The message of one change."""
    return message(Parcel(_row(bodies.changed(change, told))))


def _fact(told: Message, name: str) -> str | int | None:
    """The value of a fact."""
    fact = next(fact for fact in told.facts if fact.name == name)
    return fact.text if fact.at is None else fact.at


def test_a_drifted_machine_is_told_with_its_fix(change: Make) -> None:
    """Label, what differs, since when, and the command of the closed table."""
    told = _of(change(), "drifted")
    at = change().at
    assert told.title == "anna-mbp drifted"
    assert _fact(told, "Since") == at - 90_000
    assert told.points == (
        Point(
            sentence="the npm install 2.1.240 is behind: latest is 2.1.333",
            since=at - 90_000,
            is_estimated=True,
            deadline=at - 3_600,
            is_late=True,
            fix="npm install -g @anthropic-ai/claude-code@2.1.333",
            is_command=True,
        ),
    )


def test_a_pending_finding_has_its_deadline_ahead(change: Make) -> None:
    """Grace that has not ended is told as still to end."""
    told = _of(change(at=change().at - 7_200), "drifted")
    assert not told.points[0].is_late


def test_an_instruction_is_no_command(change: Make) -> None:
    """What a person has to edit is not shown as something to paste."""
    finding = FindingView(
        code="config-overridden",
        severity="drift",
        subject="setting effortLevel",
        sentence="the setting effortLevel is low in the user layer: users run without",
        fix=FixRef("unset", "user", "effortLevel"),
    )
    (point,) = _of(change(findings=(finding,)), "drifted").points
    assert point.fix == "remove effortLevel from your Claude Code user settings (settings.json)"
    assert not point.is_command


@pytest.mark.parametrize("target", ["2.1.333; rm -rf ~", "$(reboot)", "../../x"])
def test_a_fix_outside_the_table_is_not_told(change: Make, target: str) -> None:
    """A target that is no version reaches no message."""
    finding = FindingView(
        "build-behind", "drift", "npm", "behind", fix=FixRef("install", "npm", target)
    )
    assert _of(change(findings=(finding,)), "drifted").points[0].fix is None


def test_a_healed_machine_is_told_as_it_stands(change: Make) -> None:
    """Healing says where it ended, and when."""
    told = _of(change(before="drift", after="pending", findings=()), "healed")
    assert (told.title, told.lead) == ("anna-mbp no longer drifts", "It now stands as: pending.")
    assert _fact(told, "Since") == change().at


@pytest.mark.parametrize(
    ("away_s", "span"),
    [
        (1, "1 minute"),
        (7_199, "1 hour"),
        (3 * 86_400 + 80_000, "3 days"),
        (600, "10 minutes"),
    ],
)
def test_who_comes_back_is_told_with_how_long_that_took(
    change: Make, away_s: int, span: str
) -> None:
    """In the largest unit that it fills, whatever else there is to say."""
    back = change(away_s=away_s)
    assert _of(back, "drifted").lead == f"Nothing was heard of it for {span}."
    healed = _of(change(before="drift", after="match", away_s=away_s), "healed")
    assert healed.lead == f"Nothing was heard of it for {span}. It now stands as: match."


def test_a_waiver_that_ended_is_the_reason_given(change: Make) -> None:
    """Else nobody knows why something old is told now."""
    told = _of(change(before="exempt", waiver_ended=True), "drifted")
    assert told.lead == "The waiver for this holds no longer."


def test_an_unknown_machine_is_told_as_undecided(change: Make) -> None:
    """Unknown is never told as drift or as a match."""
    told = _of(change(after="unknown"), "unknown")
    assert told.title == "anna-mbp has been unknown for an hour"
    assert "not enough evidence" in str(told.lead)


def test_findings_that_do_not_fit_are_counted(change: Make) -> None:
    """The reader sees that there is more."""
    told = _of(change(findings=change().findings * 7), "drifted")
    assert len(told.points) == 5
    assert told.note == "2 more findings are on its page."


def test_a_fleet_is_told_by_count_and_at_most_five_names(change: Make) -> None:
    """Count, group, cause and its meaning, names of some, one example."""
    labels = tuple(f"mac-{number}" for number in range(5))
    moved = change(kind="fleet", machines=1_500, labels=labels)
    told = _of(moved, "drifted")
    assert told.title == "1,500 machines drifted"
    assert told.lead is not None
    assert told.lead.startswith("The copy is a public build")
    assert _fact(told, "Among them") == "mac-0, mac-1, mac-2, mac-3, mac-4"
    assert _fact(told, "Count") == "1,500 (with 1 profile)"
    assert len(told.facts) <= 5


def test_examples_do_not_repeat_dates_and_fix(change: Make) -> None:
    """Of many profiles some are examples; what mends them alike is told once."""
    finding = change().findings[0]
    other = msgspec.structs.replace(finding, sentence="the npm install 2.1.250 is behind")
    later = msgspec.structs.replace(other, sentence="the native install is behind", fix=None)
    body = bodies.changed(change(kind="fleet"), "drifted")
    for each in (other, later):
        body = bodies.join(body, bodies.changed(change(kind="fleet", findings=(each,)), "drifted"))
    first, second, third = message(Parcel(_row(body))).points
    assert first.sentence == f"for example: {finding.sentence}"
    assert first.fix is not None
    assert second == Point(f"for example: {other.sentence}")
    assert third.since == finding.since


def test_a_fleet_of_few_is_named_whole(change: Make) -> None:
    """When all are named, they are not told as some of many."""
    told = _of(change(kind="fleet"), "drifted")
    assert told.title == "1 machine drifted"
    assert _fact(told, "Machines") == "anna-mbp"


def test_a_cause_without_a_rule_needs_no_meaning(change: Make) -> None:
    """A cause that this code does not know is told by its name alone."""
    assert _of(change(kind="fleet", cause="no-finding"), "drifted").lead is None


def test_an_incident_and_its_end_differ() -> None:
    """The operator sees at once whether something began or ended."""
    began = message(Parcel(_row(Incident("npm cannot be reached", 5))))
    ended = message(Parcel(_row(Incident("npm is read again", 9, over=True))))
    assert (began.title, began.facts) == (
        "The operator is needed",
        (Fact("Since", at=5),),
    )
    assert (ended.title, ended.facts) == ("An operator's incident is over", (Fact("Ended", at=9),))


def test_what_was_held_back_is_counted_in_a_note(change: Make) -> None:
    """The counted rows are told by word, with their machines where these are more."""
    drifted = _row(bodies.changed(change(), "drifted"))
    healed = _row(bodies.changed(change(before="drift", after="match"), "healed"))
    fleet = _row(bodies.changed(change(kind="fleet", machines=500), "drifted"))
    few = message(Parcel(drifted, (drifted,) * 30 + (healed,) * 7))
    assert few.note == "and 37 more changes were not told one by one: 30 drifted, 7 healed"
    many = message(Parcel(drifted, (fleet,)))
    assert many.note == "and 1 more change was not told one by one: 1 drifted (500 machines)"


def test_old_news_are_told_as_one_sum(change: Make) -> None:
    """After a long outage there is one message of counts, and where to look."""
    healed = _row(bodies.changed(change(before="drift", after="match"), "healed"))
    told = message(Parcel(healed, (healed, healed), in_full=False))
    assert told.title == "3 changes were not told one by one"
    assert told.lead is not None
    assert told.lead.startswith("3 healed.")
