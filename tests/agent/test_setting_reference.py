"""The list of settings says all of each, and says the truth."""

from contextvars import copy_context
from dataclasses import fields

import msgspec
import pytest
from click.testing import CliRunner

from agent import settings, text
from agent.commands.settings import settings as command
from agent.errors import SettingsError
from agent.setting_reference import Setting, reference


@pytest.mark.parametrize("each", reference(), ids=lambda each: each.name)
def test_every_setting_has_a_meaning_and_a_number_its_range(each: Setting) -> None:
    """A sentence; and of what is counted, the least and the greatest."""
    assert each.meaning.endswith(".")
    assert "  " not in each.meaning
    assert (each.kind in {"number", "whole number"}) == (each.least is not None)


def test_they_are_all_there_and_no_more_is_explained() -> None:
    """As many as `Settings` has, in its order."""
    assert [each.name for each in reference()] == [each.name for each in fields(settings.Settings)]
    assert settings.Settings.__doc__
    told = settings.Settings.__doc__.partition("Attributes:")[2].splitlines()
    assert len([line for line in told if line[8:9].strip()]) == len(reference())


def test_a_default_may_be_written_down_as_it_is_shown() -> None:
    """By the variable that is named; a missing one is as an empty text where that is taken."""
    known = reference()
    written = {each.variable: each.default for each in known if each.default is not None}
    environment = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in written.items()
    }
    assert settings.load(environment) == settings.Settings()


@pytest.mark.parametrize(
    "each", [each for each in reference() if each.least is not None], ids=lambda each: each.name
)
def test_a_range_is_what_is_held_to(each: Setting) -> None:
    """Its ends are taken, and nothing beyond."""
    together = {"PARITY_AGENT_CYCLE_MIN_S": "0.1"}  # which may not be above its counterpart
    for value in (each.least, each.greatest):
        environment = together | {each.variable: f"{value:.10g}"}
        assert getattr(settings.load(environment), each.name) == value
    assert each.greatest is not None
    with pytest.raises(SettingsError, match="it must be from"):
        settings.load({each.variable: f"{each.greatest + 1:.10g}"})


def test_the_command_prints_every_one_for_people_and_for_programs() -> None:
    """In words, and with the same content as JSON."""
    told = CliRunner().invoke(command, []).output
    listed = msgspec.json.decode(
        CliRunner().invoke(command, ["--json"]).output, type=dict[str, list[Setting]]
    )["settings"]
    assert tuple(listed) == reference()
    assert all(f"{each.name}, {each.variable}\n" in told for each in listed)
    assert "  number, seconds, 0.1 to 90; unless set: 60\n" in told
    assert "  true or false; unless set: true\n" in told


def test_the_command_fits_the_terminal() -> None:
    """As all commands do."""

    def printed() -> str:
        text.fit(60)
        return CliRunner().invoke(command, []).output

    told = copy_context().run(printed).splitlines()
    assert max(len(line) for line in told if line.startswith(" ")) <= 60
