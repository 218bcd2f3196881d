"""Holds what happens in a run, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.exchange import Pace
from tests.benchmarks.simulator import scenario
from tests.benchmarks.simulator.scenario import Mix, Outage, ScenarioError, Step, What


def test_steps_come_in_their_order() -> None:
    """A server is stopped, started again, and then a release comes out."""
    mix = Mix(outages=(Outage(0.25, 0.25, "kill"),), release_at=0.75)
    found = scenario.steps(mix, 100)
    assert found == (Step(25, What.KILL), Step(50, What.START), Step(75, What.RELEASE))
    assert [each.what for each in found] == [What.KILL, What.START, What.RELEASE]


def test_nothing_befalls_a_mix_without_anything() -> None:
    """No outage and no release are no steps."""
    assert scenario.steps(Mix(outages=(), release_at=1), 100) == ()


@given(
    begin=st.floats(0, 0.99), within=st.floats(0, 1), at=st.floats(0, 200), later=st.floats(0, 200)
)
def test_laptops_take_a_release_and_keep_it(
    begin: float, within: float, at: float, later: float
) -> None:
    """The number of those that have it never falls, from none to all."""
    mix = Mix(release_at=begin, update_within=within)
    first, second = (scenario.updated(mix, 1_000, 100, each) for each in sorted((at, later)))
    assert 0 <= first <= second <= 1_000
    assert scenario.updated(mix, 1_000, 100, 200) == 1_000


def test_no_laptop_takes_what_is_not_released() -> None:
    """Without a release all stay as they are."""
    assert scenario.updated(Mix(release_at=1), 1_000, 100, 100) == 0


def test_the_agents_waits_are_in_proportion_to_the_interval() -> None:
    """The usual interval has the usual waits, and a tenth of it a tenth of them."""
    assert scenario.pace(900) == Pace()
    assert scenario.pace(90).cap_s == pytest.approx(Pace().cap_s / 10)
    assert scenario.pace(90).min_s == pytest.approx(Pace().min_s / 10)


@pytest.mark.parametrize(
    ("profiles", "count"), [("shared", 1_000), ("tenth", 2_000), ("distinct", 20_000)]
)
def test_profiles_are_as_distinct_as_the_mix_says(profiles: scenario.Sharing, count: int) -> None:
    """A fleet has at least one profile, and none that nobody has."""
    assert Mix(profiles=profiles).profile_count(20_000) == count
    assert 1 <= Mix(profiles=profiles).profile_count(5) <= 5


def test_a_mix_is_read_from_toml() -> None:
    """What is not named is as in the default."""
    mix = scenario.read('clones = 0.5\noutages = [{at = 0.1, lasts = 0.2, how = "stop"}]\n')
    assert mix == Mix(clones=0.5, outages=(Outage(0.1, 0.2, "stop"),))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("clones = ", "no TOML"),
        ("clone = 0.5", "clone is not of a mix"),
        ("clones = 1.5", "clones is 1.5"),
        ('clones = "many"', "another kind"),
        ("interval_s = 0", "interval_s is 0"),
        ('profiles = "some"', "profiles is 'some'"),
        ("outages = 3", "a list of tables"),
        ("outages = [{at = 0.5}]", "another kind"),
        ("outages = [{at = 0.5, lasts = 0.6}]", "an outage's end"),
        ('outages = [{at = 0.5, lasts = 0.1, how = "politely"}]', "how is 'politely'"),
        (
            "outages = [{at = 0.5, lasts = 0.2}, {at = 0.6, lasts = 0.2}]",
            "an outage's at is 0.6",
        ),
    ],
)
def test_a_mix_that_cannot_be_is_refused(text: str, said: str) -> None:
    """The message names what is wrong with it."""
    with pytest.raises(ScenarioError, match=said):
        scenario.read(text)


@pytest.mark.parametrize("name", ["steady", "return"])
def test_the_mixes_at_hand_can_be_read(name: str) -> None:
    """Each file beside the simulator is a mix."""
    mix = scenario.read((scenario.MIXES / f"{name}.toml").read_text(encoding="utf-8"))
    assert mix.clones == 0
    assert mix.release_at == 1
