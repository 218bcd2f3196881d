"""The course of a replay: every moment once, and none left out."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from server.errors import SettingsError
from server.replay.play import play
from server.replay.scenario import ProfileEntry, Scenario, epoch
from tests.server.replay.spring import spring

SPRING = spring()
LAPTOP = next(each for each in SPRING.profiles if each.machine == "public-build")
NEXT = next(each for each in SPRING.readings if each.at > LAPTOP.at)
HOURS = 10


def crowd(number: int) -> Scenario:
    """So many laptops that stay behind, a policy that is loaded each hour, and a latecomer."""
    hourly = (
        msgspec.structs.replace(SPRING.policies[0], at=NEXT.at + timedelta(hours=hour))
        for hour in range(1, HOURS + 1)
    )
    laptops: list[ProfileEntry] = [
        msgspec.structs.replace(LAPTOP, machine=f"mac-{index}") for index in range(number)
    ]
    late = NEXT.at + timedelta(days=2)
    laptops.append(msgspec.structs.replace(LAPTOP, machine="latecomer", at=late))
    readings = tuple(each for each in SPRING.readings if each.at <= NEXT.at)
    policies = (*SPRING.policies[:1], *hourly)
    return replace(SPRING, readings=readings, policies=policies, profiles=tuple(laptops))


def test_what_many_laptops_wait_for_is_one_moment() -> None:
    """However often it was told before: what comes after the end of their grace is reached."""
    until = epoch(NEXT.at) + 3 * 86_400
    words = play(crowd(5), until, steps_max=30)
    assert [word.standing for word in words[-6:-1]] == ["drift"] * 5
    assert (words[-1].machine, words[-1].standing) == ("latecomer", "drift")


def test_a_replay_is_played_to_its_end_or_refused() -> None:
    """One that was cut short would tell of a calm that nobody has looked at."""
    with pytest.raises(SettingsError, match="more than 5 moments"):
        play(crowd(1), epoch(NEXT.at) + 3 * 86_400, steps_max=5)
