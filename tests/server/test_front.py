"""Whatever is sent: an answer below 500, and a refusal where it is refused."""

import json

import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.server.asking import check_in, post, signed
from tests.server.conftest import Known
from tests.server.live import PATIENCE_S, refusal

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
_bent = st.builds(
    lambda field, value: check_in(**{field: value}), st.sampled_from(sorted(check_in())), _json
)


@settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    path=st.sampled_from(["/v1/check-ins", "/v1/check-ins/", "/v1/enrolments"]),
    body=st.binary(max_size=200) | (_json | _bent).map(lambda value: json.dumps(value).encode()),
)
@example(path="/v1/check-ins", body=b"[" * 8_000)
@example(path="/v1/enrolments", body=b'{"wire":' * 900)
@example(path="/v1/check-ins", body=b'"\\ud800"')
def test_no_body_makes_the_server_fail(known: Known, path: str, body: bytes) -> None:
    """Any bytes get an answer below 500, and a refusal where they are refused."""
    answer = post(known, path, body)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert refusal(answer.content).error


@settings(deadline=None, max_examples=50)
@given(path=st.text(max_size=60), query=st.text(max_size=60))
def test_no_path_makes_the_server_fail(known: Known, path: str, query: str) -> None:
    """Whatever a viewer asks for."""
    answer = requests.get(
        f"{known.live.url}/v1/machines/{path}",
        params={"after": query},
        headers=signed(known.viewer),
        timeout=PATIENCE_S,
    )
    assert answer.status_code < 500, answer.text
