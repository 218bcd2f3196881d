"""The file of a replay: strict, dated, and with a basis for everything."""

import re

import pytest

from server.errors import SettingsError
from server.replay.scenario import FILE_MAX_BYTES, epoch, parse
from tests.server.replay.spring import FILE, spring

CHANGE = """
title = "one"
[[change]]
name = "a"
shipped = 2026-03-04T00:00:00Z
undone = 2026-03-05T00:00:00Z
touches = ["build"]
basis = "facts 6.1"
"""


def refused(text: str) -> str:
    """What is said of a file that cannot be played."""
    with pytest.raises(SettingsError) as caught:
        parse(text.encode(), "a.toml")
    return str(caught.value)


def test_the_shipped_file_says_on_what_each_entry_rests() -> None:
    """A section of the facts, or the word `assumed`; staff's laptops are all assumed."""
    played = spring()
    entries = (*played.readings, *played.releases, *played.policies, *played.profiles)
    assert all(re.match(r"facts \d|assumed$", each.basis) for each in entries)
    assert {each.basis for each in played.profiles} == {"assumed"}
    assert len(played.changes) == 3


def test_the_shipped_file_holds_no_verdicts() -> None:
    """No standing, no rule code and no finding is written in it."""
    text = FILE.read_text(encoding="utf-8")
    for word in ("drift", "match", "pending", "finding", "build-", "severity", "verdict ="):
        assert word not in text


def test_entries_are_played_in_the_order_of_time() -> None:
    """However they stand in the file."""
    moments = [epoch(each.at) for each in spring().profiles]
    assert moments == sorted(moments)


def test_a_file_that_is_no_scenario_is_refused_with_the_place() -> None:
    """Syntax, an unknown key, a wrong type, a missing basis, a time without its offset."""
    assert "not TOML" in refused("title = [")
    assert "verdict" in refused(CHANGE + 'verdict = "drift"\n')
    assert "$.change[0].touches" in refused(CHANGE.replace('["build"]', "7"))
    assert "basis" in refused(CHANGE.replace('basis = "facts 6.1"', ""))
    assert "basis" in refused(CHANGE.replace("facts 6.1", "hearsay"))
    assert "offset" in refused(CHANGE.replace("00:00:00Z", "00:00:00"))
    assert "larger" in refused("#" * (FILE_MAX_BYTES + 1))


def test_what_no_clock_shows_is_refused_too() -> None:
    """A number beyond all bounds, a time that has no seconds since the epoch, an end too soon."""
    assert "not TOML" in refused("title = " + "1" * 5000)
    for moment in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        assert "no clock" in refused(CHANGE.replace("2026-03-05T00:00:00Z", moment))
    assert "ends before it begins: a" in refused(CHANGE.replace("2026-03-05", "2026-03-03"))
