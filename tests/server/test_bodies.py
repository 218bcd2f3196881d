"""Bodies: read within a size and a time, however they are framed."""

import json
from typing import Any

import pytest

from tests.server.asking import DIGEST, check_in
from tests.server.conftest import Known


def _head(known: Known, path: str = "/v1/check-ins", **headers: Any) -> bytes:
    told = {
        "Host": "localhost",
        "Authorization": f"Bearer {known.machine}",
        "Content-Type": "application/json",
    }
    told |= {name.replace("_", "-"): str(value) for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in told.items()]
    return "\r\n".join([f"POST {path} HTTP/1.1", *lines, "", ""]).encode()


@pytest.mark.parametrize("path", ["/v1/check-ins", "/v1/enrolments", f"/v1/profiles/{DIGEST}"])
def test_a_body_over_its_limit_is_refused_whether_announced_or_not(known: Known, path: str) -> None:
    """A length that is announced is refused unread; a chunked body when it is too long."""
    method = b"PUT" if "profiles" in path else b"POST"
    announced = _head(known, path, Content_Length=70_000).replace(b"POST", method, 1)
    chunked = _head(known, path, Transfer_Encoding="chunked").replace(b"POST", method, 1)
    for data in (announced + b"x", chunked + b"1000\r\n%b\r\n" % (b" " * 4096) * 20):
        status, refused = known.live.raw(data)
        assert status == 413
        assert refused is not None
        assert "larger than" in refused.error


def test_a_chunked_body_within_its_limit_is_read(known: Known) -> None:
    """How a body is framed makes no difference."""
    body = json.dumps(check_in(epoch="2" * 16)).encode()
    framed = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    status, _ = known.live.raw(_head(known, Transfer_Encoding="chunked") + framed)
    assert status == 200


@pytest.mark.parametrize("framing", [{"Content_Length": 100}, {"Transfer_Encoding": "chunked"}])
def test_a_body_that_does_not_come_is_not_waited_for(known: Known, framing: dict[str, Any]) -> None:
    """A slow client holds a connection for a bounded time."""
    status, refused = known.live.raw(_head(known, **framing))
    assert status == 408
    assert refused is not None
    assert "did not arrive within 0.5 s" in refused.error


def test_a_body_that_is_cut_off_is_refused(known: Known) -> None:
    """A client that goes away has sent nothing."""
    status, refused = known.live.raw(_head(known, Content_Length=100) + b"{", end=True)
    assert status == 400
    assert refused is not None
    assert "ended before" in refused.error
