"""A report is kept as JSON that somebody can read."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.simulator.report import as_text

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("[]1,\n -"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("[]1,\n "), inner),
)


@given(st.dictionaries(st.text(), values))
def test_nothing_is_lost(told: dict[str, Any]) -> None:
    """Whatever is told is read again."""
    assert json.loads(as_text(told)) == told


def test_a_series_takes_one_line() -> None:
    """One of a number for each second of an hour, too."""
    assert as_text({"by second": [1, 2.5], "said": ["ok"]}).splitlines() == [
        "{",
        '  "by second": [ 1, 2.5 ],',
        '  "said": [',
        '    "ok"',
        "  ]",
        "}",
    ]
