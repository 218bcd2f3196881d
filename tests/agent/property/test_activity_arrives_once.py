"""Changes and activity arrive in order and once, whatever happens on the way.

A state machine drives a real journal and conversation against a model server: counts and
changes come, requests and answers are lost, the server asks for a new epoch or refuses a
check-in as too large, and the agent is killed at any request. What was counted is then, to the
second, what the server has, what it refused for its size, and what still waits.
"""

import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from agent.exchange import Exchange
from agent.exchange_table import State
from agent.journal import open_journal
from agent.wire import Activity
from tests.agent.line import FAULTS, HARSH, KilledError, Laptop, Line, amounts

COUNTS = st.lists(
    st.builds(
        Activity,
        day=st.integers(20_700, 20_790),
        surface=st.sampled_from(["terminal", "editor"]),
        build=st.sampled_from(["a" * 64, None]),
        seconds=st.integers(1, 90_000),
        starts=st.integers(0, 9),
    ),
    min_size=1,
    max_size=40,
)


class Arriving(RuleBasedStateMachine):
    """One laptop, one server, and what lies between them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.line = Line()
        self.laptop = Laptop(Path(self.folder.name), self.line)
        self.counted: Counter[tuple[int, str, str, str]] = Counter()

    @initialize()
    def first_look(self) -> None:
        """There is a profile."""
        self.laptop.change(0)

    @rule(profile=st.integers(0, 3))
    def change(self, profile: int) -> None:
        """The user changes something."""
        self.laptop.change(profile)

    @rule(counts=COUNTS)
    def use(self, counts: list[Activity]) -> None:
        """Sessions ran."""
        self.laptop.use(counts)
        self.counted.update(amounts(counts))

    @rule(faults=st.lists(st.sampled_from(FAULTS + HARSH), max_size=4))
    def converse(self, faults: list[str]) -> None:
        """A check-in is due, and some of this happens to it."""
        self.line.faults = faults
        try:
            self.laptop.converse()
        except KilledError:
            self.laptop.restart()

    @rule()
    def restart(self) -> None:
        """The agent is updated."""
        self.laptop.restart()

    @invariant()
    def nothing_arrives_twice(self) -> None:
        """The server never has more than was counted."""
        assert self.line.used <= self.counted

    def teardown(self) -> None:
        """The line is good again, and all that is due arrives."""
        self.line.faults = []
        for _ in range(9):
            self.laptop.x = Exchange(state=State.REST)
            self.laptop.converse()
        with closing(open_journal(self.laptop.folder)) as journal:
            backlog = journal.backlog()
        # Where no step was taken there is no profile either.
        left = backlog.activity if backlog else ()
        self.folder.cleanup()
        assert left == ()
        assert self.line.used + self.line.refused == self.counted or self.line.contradicts
        if not self.line.contradicts:
            assert _in_order(self.line.seen, self.laptop.seen)
            assert self.line.seen == self.laptop.seen or self.line.dropped


def _in_order(some: list[str], of: list[str]) -> bool:
    rest = iter(of)
    return all(each in rest for each in some)


TestArriving = Arriving.TestCase
TestArriving.settings = settings(deadline=None, max_examples=40, stateful_step_count=25)
