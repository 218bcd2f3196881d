"""Holds what goes over the wire, and how an answer is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.simulator.link import HEAD_MAX_BYTES, Head, LinkError, head_of, written
from tests.benchmarks.simulator.machines import Request

ANSWER = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 12\r\nRetry-After: 30\r\n\r\n"


def test_a_request_has_a_length_and_a_token() -> None:
    """Its body comes as it is."""
    data = written(Request("POST", "/v1/check-ins", b'{"seq":1}'), "bpm_x", "127.0.0.1:80")
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /v1/check-ins HTTP/1.1"
    assert b"Content-Length: 9" in lines
    assert b"Authorization: Bearer bpm_x" in lines
    assert body == b'{"seq":1}'


def test_a_question_has_no_body() -> None:
    """A GET tells neither a length nor a kind."""
    data = written(Request("GET", "/v1/machines/me"), "bpm_x", "127.0.0.1:80")
    assert data.endswith(b"\r\n\r\n")
    assert b"Content-" not in data


@given(st.integers(0, len(ANSWER)))
def test_a_head_is_read_once_it_is_all_there(upto: int) -> None:
    """However it arrives in pieces, it is told whole or not at all."""
    whole = Head(503, 12, 30.0, len(ANSWER), closes=False)
    assert head_of(ANSWER[:upto]) == (whole if upto == len(ANSWER) else None)


def test_a_server_may_end_the_connection() -> None:
    """It says so in the head of its answer."""
    head = head_of(b"HTTP/1.1 200 OK\r\nConnection: Close\r\n\r\n")
    assert head is not None
    assert head.closes
    assert head.body_bytes == 0


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"x" * (HEAD_MAX_BYTES + 1),
    ],
)
def test_what_this_client_does_not_read_is_told(data: bytes) -> None:
    """It is an answer of its own kind, and no crash."""
    with pytest.raises(LinkError, match="unreadable"):
        head_of(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_head_or_are_told(data: bytes) -> None:
    """Nothing else comes out of reading one."""
    try:
        found = head_of(data)
    except LinkError:
        return
    assert found is None or found.size <= len(data)
