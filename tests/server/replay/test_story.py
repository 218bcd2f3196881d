"""The spring of 2026 by the server's own judge."""

from dataclasses import replace

import msgspec
import pytest

from server.replay.scenario import Scenario, epoch
from server.replay.story import NOT_SEEN, Story
from server.replay.story import replay as play
from tests.server.replay.spring import spring

SPRING = spring()
OUTCOME = play(SPRING)
EFFORT, THINKING, PROMPT = OUTCOME.stories

every_reading = pytest.mark.parametrize("index", range(len(SPRING.readings)))
every_override = pytest.mark.parametrize(
    "index", [at for at, each in enumerate(SPRING.profiles) if each.overrides]
)


def told_on(story: Story) -> set[str]:
    """The laptops on which a change would have been seen."""
    return {each.machine for each in story.told if each.sentences}


def without_reading(played: Scenario, index: int) -> Scenario:
    """The same without one reading."""
    return replace(
        played, readings=tuple(item for at, item in enumerate(played.readings) if at != index)
    )


def without_overrides(played: Scenario, index: int) -> Scenario:
    """The same without the overrides of one profile."""
    plain = msgspec.structs.replace(played.profiles[index], overrides=())
    profiles = tuple(plain if at == index else item for at, item in enumerate(played.profiles))
    return replace(played, profiles=profiles)


def test_a_setting_of_the_testers_own_is_told_from_the_first_hour() -> None:
    """The effort default changed for users, not for who had set it: drift, with an alert."""
    said = next(each for each in EFFORT.told if each.machine == "own-setting")
    assert (said.standing, said.alert, said.owner) == ("drift", "drifted", "Sam")
    assert "effortLevel is high" in said.sentences[0]
    assert said.at <= EFFORT.shipped + 4 * 3600


def test_a_build_of_staffs_own_is_told_before_each_of_the_changes() -> None:
    """It was never public: whatever it showed its tester, users ran something else."""
    for story in (EFFORT, THINKING, PROMPT):
        said = next(each for each in story.told if each.machine == "feature-build")
        assert said.since < story.shipped
        assert "never public" in said.sentences[0]


def test_what_leaves_nothing_on_a_laptop_is_not_seen_and_the_reason_is_said() -> None:
    """The experiment on the servers that hid the thinking fault from who ran the public build."""
    blind = {each.machine: each.reason for each in THINKING.unseen}
    assert set(blind) == {"own-setting", "public-build"}
    assert "experiment on the servers" in blind["public-build"]
    assert NOT_SEEN in THINKING.verdict


def test_a_laptop_with_the_public_build_and_nothing_else_is_never_told_to_differ() -> None:
    """It is pending for the hours until it is updated, no more."""
    for story in (EFFORT, THINKING, PROMPT):
        assert "public-build" not in told_on(story)


def test_a_change_that_no_laptop_could_show_is_not_seen_at_all() -> None:
    """With only the laptop that has what users have."""
    kept = tuple(each for each in SPRING.profiles if each.machine == "public-build")
    for story in play(replace(SPRING, profiles=kept)).stories:
        assert story.verdict == NOT_SEEN
        assert story.told == ()


def test_what_was_public_is_told_of_both_ends_of_a_change() -> None:
    """As the post-mortem has them: fixed in 2.1.116 while stable stood on 2.1.112."""
    assert PROMPT.public[1] == "latest 2.1.116 (bucket), stable 2.1.112 (bucket)"


@every_reading
def test_without_any_one_reading_the_outcome_differs(index: int) -> None:
    """None of them is decoration."""
    assert changed(without_reading(SPRING, index))


@every_override
def test_without_any_one_override_the_outcome_differs(index: int) -> None:
    """None of them is decoration."""
    assert changed(without_overrides(SPRING, index))


def changed(other: Scenario) -> bool:
    """Whether a scenario's outcome is another one, apart from its number of entries."""
    return play(other).stories != OUTCOME.stories


def test_what_the_policy_of_the_file_allows_is_told_to_nobody() -> None:
    """The override of the tester is then no complaint."""
    text = '[default]\nallowed_overrides = ["effortLevel"]\n'
    allowed = tuple(msgspec.structs.replace(each, policy=text) for each in SPRING.policies)
    effort: Story = play(replace(SPRING, policies=allowed)).stories[0]
    assert told_on(effort) == {"feature-build"}


def test_the_outcome_counts_what_is_assumed() -> None:
    """So that nobody takes it for a record."""
    assert 0 < OUTCOME.assumed < OUTCOME.entries
    assert OUTCOME.stories[0].shipped == epoch(SPRING.changes[0].shipped)
