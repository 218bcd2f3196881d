"""When the meanings of a verdict's words are asked for again."""

from collections.abc import Iterator
from contextlib import closing

import msgspec
import pytest
from werkzeug import Request, Response

from agent import meanings
from agent.cycle import Parts
from agent.identity import Identity
from agent.journal import Journal, open_journal
from agent.settings import Settings
from agent.wire import Meanings
from tests.agent.receiver import Receiver

NOW = 1_800_000_000
TOLD = Meanings((), (), (), ())


@pytest.fixture
def journal(laptop: Settings) -> Iterator[Journal]:
    """The laptop's journal, which remembers nothing yet."""
    with closing(open_journal(laptop.state_dir)) as journal:
        yield journal


def learn(laptop: Settings, receiver: Receiver, journal: Journal, at: int) -> int | None:
    """Has the laptop want the meanings at a time; when those came that it has then."""
    receiver.answer_first = _tell
    who = Identity(receiver.url, "m-1", "token", "laptop-7", "default")
    return meanings.learn(Parts(laptop, {}, clock=lambda: at), journal, who).asked_at


def _tell(request: Request) -> Response | None:
    if request.path != "/v1/meanings":
        return None
    return Response(msgspec.json.encode(TOLD), mimetype="application/json")


@pytest.mark.parametrize(
    ("later_s", "is_asked"),
    [(0, False), (meanings.FRESH_S - 1, False), (meanings.FRESH_S, True), (-1, True)],
)
def test_meanings_are_asked_for_again_after_a_day_or_a_clock_set_back(
    laptop: Settings, receiver: Receiver, journal: Journal, later_s: int, *, is_asked: bool
) -> None:
    """Else a clock that had been far ahead once would keep old ones for as long."""
    assert learn(laptop, receiver, journal, NOW) == NOW
    came_at = learn(laptop, receiver, journal, NOW + later_s)
    assert came_at == (NOW + later_s if is_asked else NOW)
    assert len(receiver.bodies) == 1 + is_asked
