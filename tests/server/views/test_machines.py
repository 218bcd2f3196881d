"""Pages of machines, and one machine's history."""

from hypothesis import given
from hypothesis import strategies as st

from agent.wire import MachineView
from server.views import machines
from server.views.machines import Happening, ListedMachine


def _listed(number: int) -> ListedMachine:
    return ListedMachine(f"{number:03}", f"laptop {number}", "default", "match", 0)


@given(st.integers(0, 30), st.integers(1, 10))
def test_pages_show_every_machine_once(count: int, limit: int) -> None:
    """Following `next` from the first page ends, and leaves nobody out."""
    everybody = [_listed(number) for number in range(count)]
    seen: list[ListedMachine] = []
    after: str | None = ""
    while after is not None:
        rest = [each for each in everybody if each.machine > after]
        page = machines.page(rest[: limit + 1], limit)
        assert len(page.machines) <= limit
        seen += page.machines
        after = page.next
    assert seen == everybody


@given(st.integers(0, 2 * machines.TIMELINE_MAX))
def test_a_history_is_newest_first_and_bounded(count: int) -> None:
    """What is left out is the oldest."""
    told = MachineView("m", "laptop", "default", "match", 0, "tag", 0)
    timeline = [Happening(at, "profile", "match") for at in range(count)]
    seen = machines.history(told, timeline)
    assert (seen.machine, seen.label, seen.tag) == ("m", "laptop", "tag")
    ats = [each.at for each in seen.timeline]
    assert ats == list(range(count))[::-1][: machines.TIMELINE_MAX]


def test_a_short_page_names_what_was_looked_at_last() -> None:
    """Also an empty one; a full page its own last machine."""
    assert machines.page([_listed(1)], 2, "007").next == "007"
    assert machines.page([], 2, "007").next == "007"
    assert machines.page([_listed(1), _listed(2), _listed(3)], 2, "007").next == "002"
    assert machines.page([], 2).next is None
