"""What is wrong with the sources: each condition on its own, and nothing in ordinary weeks."""

from collections.abc import Iterable
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.releases.cadence import DAY_S, DEFAULTS_S
from server.releases.health import (
    DISAGREE_S,
    MOVED_BACK_S,
    NAMED_MAX,
    WITHDRAWN_S,
    Condition,
    Kind,
    SourceHealth,
    conditions,
)
from server.releases.ledger import Ledger, Reading, Release

HOUR = 3_600
NOW = 100 * DAY_S
NPM, BUCKET = SourceHealth("npm", "ok", 0, NOW), SourceHealth("bucket", "ok", 0, NOW)


def _kinds(found: Iterable[Condition]) -> list[tuple[Kind, int]]:
    return [(each.kind, each.since) for each in found]


def _pointer(source: str, *moves: tuple[int, str], channel: str = "latest") -> list[Reading]:
    """A pointer's moves, read until now."""
    ends = [*(at - 1 for at, _ in moves[1:]), NOW]
    return [
        Reading(source, channel, version, at, end)
        for (at, version), end in zip(moves, ends, strict=True)
    ]


def test_nothing_is_wrong_where_nothing_was_read() -> None:
    """And nothing with a source that never answered: that is the set-up."""
    never = SourceHealth("bucket", "unreachable", 0, None, "refused")
    assert conditions(Ledger(), [never], NOW) == ()


def test_a_source_out_of_reach_is_told_with_its_reason() -> None:
    """After half an hour."""
    (found,) = conditions(Ledger(), [SourceHealth("npm", "unreachable", 50, 40, "HTTP 503")], NOW)
    assert (found.kind, found.since, found.told_from) == ("unreachable", 50, 50 + 1_800)
    assert "npm" in found.text
    assert "HTTP 503" in found.text


def test_sources_that_show_different_heads_disagree_after_a_while() -> None:
    """Since the later move; the same heads, or another channel, are no disagreement."""
    moved = NOW - DISAGREE_S
    readings = [
        *_pointer("npm", (NOW - DAY_S, "2.1.1"), (moved, "2.1.2")),
        *_pointer("bucket", (NOW - DAY_S, "2.1.1")),
        *_pointer("bucket", (NOW - DAY_S, "2.0.9"), channel="stable"),
    ]
    (found,) = conditions(Ledger(readings), [NPM, BUCKET], NOW)
    assert (found.kind, found.since) == ("disagree", moved)
    assert "2.1.1 by bucket, 2.1.2 by npm" in found.text
    assert conditions(Ledger(readings), [NPM, BUCKET], NOW - 1) == ()


def test_a_pointer_that_its_source_shows_no_longer_is_told_for_a_week() -> None:
    """While the source answers without it: what follows it there becomes unknown in silence."""
    ledger = Ledger([Reading("bucket", "stable", "2.1.1", NOW - DAY_S, NOW - HOUR)])
    (found,) = conditions(ledger, [BUCKET], NOW)
    assert (found.kind, found.since) == ("gone", NOW - HOUR)
    assert found.told_from == NOW
    assert "bucket answers, and shows no stable any more; it was 2.1.1" in found.text
    away = replace(BUCKET, state="unreachable", error="refused")
    assert [each.kind for each in conditions(ledger, [away], NOW)] == ["unreachable"]
    week = NOW - HOUR + WITHDRAWN_S
    assert [each.kind for each in conditions(ledger, [BUCKET], week - 1)] == ["gone"]
    assert conditions(ledger, [BUCKET], week) == ()


def test_a_source_left_behind_disagrees_since_it_was_left() -> None:
    """However often the other one moves on."""
    start = NOW - 3 * DAY_S
    npm = _pointer("npm", (start, "2.1.1"), (start + DAY_S, "2.1.2"), (NOW - 60, "2.1.3"))
    ledger = Ledger([*npm, *_pointer("bucket", (start, "2.1.1"))])
    assert ("disagree", start + DAY_S) in _kinds(conditions(ledger, [NPM, BUCKET], NOW))


def test_a_source_out_of_reach_does_not_disagree() -> None:
    """Its last word is old: what it would say now is not known."""
    npm = _pointer("npm", (NOW - DAY_S, "2.1.1"), (NOW - HOUR, "2.1.2"))
    ledger = Ledger([*npm, Reading("bucket", "latest", "2.1.1", NOW - DAY_S, NOW - 2 * HOUR)])
    away = replace(BUCKET, state="unreachable", read_at=NOW - 2 * HOUR)
    assert _kinds(conditions(ledger, [NPM, away], NOW)) == [("unreachable", 0)]


def test_a_pointer_that_is_shown_no_longer_does_not_disagree() -> None:
    """The source answers, without it."""
    npm = _pointer("npm", (NOW - DAY_S, "2.1.1"), (NOW - HOUR, "2.1.2"))
    ledger = Ledger([*npm, Reading("bucket", "latest", "2.1.1", NOW - DAY_S, NOW - 2 * HOUR)])
    assert [each.kind for each in conditions(ledger, [NPM, BUCKET], NOW)] == ["gone"]


def _regular(source: str, every: int, times: int, last: int) -> list[Reading]:
    moves = [(last - each * every, f"2.1.{times - each}") for each in reversed(range(times))]
    return _pointer(source, *moves)


def test_a_pointer_that_stands_still_against_its_own_past_is_frozen() -> None:
    """Since it last moved; it was moved every day, and four days are the least limit."""
    assert conditions(Ledger(_regular("npm", DAY_S, 20, NOW - 4 * DAY_S)), [NPM], NOW) == ()
    moved = NOW - 4 * DAY_S - 1
    assert _kinds(conditions(Ledger(_regular("npm", DAY_S, 20, moved)), [NPM], NOW)) == [
        ("frozen", moved)
    ]


def test_a_pointer_out_of_reach_is_not_called_frozen_for_it() -> None:
    """It stood still only as far as it was read."""
    readings = _regular("npm", DAY_S, 20, NOW - 30 * DAY_S)
    readings[-1] = replace(readings[-1], last_seen=NOW - 27 * DAY_S)
    assert conditions(Ledger(readings), [NPM], NOW) == ()


def test_a_mirror_that_was_frozen_before_the_first_reading_is_seen_at_once() -> None:
    """By the publish times of what it shows; told when it was watched for a day."""
    published = [Release(f"2.1.{day}", NOW - (31 - day) * DAY_S) for day in range(20)]
    head = Reading("npm", "latest", "2.1.19", NOW, NOW)
    (found,) = conditions(Ledger([head], published), [NPM], NOW)
    assert (found.kind, found.since) == ("frozen", NOW - 12 * DAY_S)
    assert found.told_from == NOW + DAY_S


def test_without_a_past_the_default_holds() -> None:
    """For ``latest`` and ``stable``; a tag of its own kind may stand for ever."""
    stood = NOW - DEFAULTS_S["stable"] - 1
    ledger = Ledger(
        [
            *_pointer("npm", (stood, "2.1.1"), channel="stable"),
            *_pointer("npm", (stood, "0.2.9"), channel="beta"),
            *_pointer("npm", (NOW - DEFAULTS_S["latest"], "2.1.2")),
        ]
    )
    assert _kinds(conditions(ledger, [NPM], NOW)) == [("frozen", stood)]


@given(st.lists(st.sampled_from([6, 15, 22, 23, 24, 26, 48, 70, 100]), min_size=9, max_size=80))
def test_ordinary_weeks_are_calm(gaps: list[int]) -> None:
    """Gaps as facts 2.8 counts them, up to the longest of an ordinary quarter (4.3 days)."""
    at, moves = NOW, []
    for number, gap in enumerate(gaps):
        moves.append((at, f"2.1.{len(gaps) - number}"))
        at -= gap * HOUR
    quiet = 96 * HOUR
    readings = _pointer("npm", *((at - quiet, version) for at, version in reversed(moves)))
    assert conditions(Ledger(readings), [NPM], NOW) == ()


def test_a_pointer_that_was_moved_back_is_told_for_a_day() -> None:
    """Or until it moves on."""
    moved = NOW - MOVED_BACK_S + 1
    back = _pointer("npm", (NOW - 2 * DAY_S, "2.1.116"), (moved, "2.1.114"))
    (found,) = conditions(Ledger(back), [NPM], NOW)
    assert (found.kind, found.since, found.told_from) == ("moved-back", moved, moved)
    assert "from 2.1.116 to 2.1.114" in found.text
    assert conditions(Ledger(back), [NPM], NOW + 1) == ()
    on = _pointer("npm", (NOW - 2 * DAY_S, "2.1.116"), (moved, "2.1.114"), (NOW, "2.1.117"))
    assert conditions(Ledger(on), [NPM], NOW) == ()


def test_versions_that_were_withdrawn_together_are_one_condition() -> None:
    """For a week; a long list is cut."""
    gone = [Release(f"2.1.{each}", withdrawn_at=NOW - WITHDRAWN_S + 1) for each in range(12)]
    (found,) = conditions(Ledger(releases=[*gone, Release("2.1.12")]), [NPM], NOW)
    assert (found.kind, found.since) == ("withdrawn", NOW - WITHDRAWN_S + 1)
    assert f"and {12 - NAMED_MAX} more" in found.text
    assert conditions(Ledger(releases=gone), [NPM], NOW + 1) == ()


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_condition_has_an_end_to_tell(kind: Kind) -> None:
    """In words that name what it was about."""
    topic = f"{kind} npm latest 2.1.114"
    assert "{" not in Condition(topic, kind, 0, "").over


def test_many_versions_of_one_trouble_are_one_incident() -> None:
    """A key that cannot be had is not told once for each release."""
    one, two = (Condition(f"unsigned bucket 2.1.{each}", "unsigned", 0, "") for each in (1, 2))
    assert one.incident == two.incident == "unsigned bucket"
    assert Condition("source npm", "unreachable", 0, "").incident == "source npm"
