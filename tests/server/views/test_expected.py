"""Lists of what is expected of single machines."""

from hypothesis import given
from hypothesis import strategies as st

from server.views import expected
from server.views.expected import GivenWaiver


@given(st.integers(0, 8), st.integers(1, 4))
def test_a_page_names_the_next_one_if_there_is_one(count: int, limit: int) -> None:
    """It is made of one waiver more than fits on it, where there is one."""
    listed = [
        GivenWaiver(f"{number}", "c", "r", "p", 0, 1, machine="m", label="laptop", holds=True)
        for number in range(min(count, limit + 1))
    ]
    page = expected.page(listed, limit)
    assert list(page.waivers) == listed[:limit]
    assert page.next == (f"{limit - 1}" if count > limit else None)
