"""Versions are compared as numbers, and their times are brought into order."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from server.releases.versions import is_newer, monotone, order

_dated = st.lists(
    st.tuples(
        st.integers(0, 20).map(lambda patch: f"2.1.{patch}"),
        st.none() | st.integers(0, 100),
        st.none(),
    ),
    unique_by=lambda item: item[0],
)


def test_order_is_by_number_and_not_by_letter() -> None:
    """2.1.10 is above 2.1.9; what is no number is above nothing."""
    assert is_newer("2.1.10", "2.1.9")
    assert is_newer("2.1.10", "2.1.10-beta.1")
    assert not is_newer("2.1.10", "2.1.10")
    assert not is_newer("local", "2.1.9")
    assert not is_newer("2.1.9", "local")
    assert order("") is None


@given(_dated, st.randoms(use_true_random=False))
def test_publish_times_ascend_with_the_versions(
    dated: list[tuple[str, int | None, None]], random: Random
) -> None:
    """Whatever the registry stamped, in whatever order it is told; none gets a later time."""
    found = monotone(dated)
    times = [at for _, at in found]
    assert times == sorted(times)
    stamped = {order(version): at for version, at, _ in dated if at is not None}
    assert all(at <= stamped[number] for number, at in found if number in stamped)
    random.shuffle(dated)
    assert monotone(dated) == found
