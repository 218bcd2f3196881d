"""What keeps commands from being run."""

import pytest

from agent import applying, profile
from agent.cycle import Looked
from agent.discover.census import Census
from agent.errors import AgentError
from agent.wire import Problem


def looked(*unseen: Problem, told: tuple[Problem, ...] = ()) -> Looked:
    """A look that found nothing at all, and a profile that tells some problems."""
    made = profile.make(
        system="linux",
        arch="x64",
        census_installs=(),
        more=0,
        config=None,
        exposure=None,
        sessions=(),
        problems=told,
    )
    return Looked(Census(), None, (), unseen, None, made, b"")


def test_processes_that_could_not_be_looked_at_are_told_with_the_reason() -> None:
    """Whatever runs among them, a session may."""
    with pytest.raises(AgentError, match="could not be seen: it may not be read"):
        applying._refuse(looked(Problem("sessions", "it may not be read")))


def test_what_is_told_of_an_earlier_session_is_no_reason() -> None:
    """It stays in the profile for a while after the session has ended."""
    applying._refuse(looked(told=(Problem("sessions", "a session's arguments are not shown"),)))
