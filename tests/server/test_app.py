"""The server's outside: what is answered, and how everything else is refused."""

import json
import secrets
from typing import Any

import msgspec
import pytest
import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agent import digest
from agent.wire import Ack, Build, Install, MachineView, Profile
from tests.server.conftest import Known
from tests.server.live import PATIENCE_S, refusal

PROFILE = Profile(
    wire=1,
    os="linux",
    arch="x64",
    installs=(
        Install(
            method="npm",
            place="global",
            claimed="2.1.330",
            build=Build(sha256="a" * 64, size=1, form="binary", version="2.1.330"),
            starts=("terminal",),
        ),
    ),
)
DIGEST = digest.of_value(PROFILE)


def _check_in(**changed: object) -> dict[str, Any]:
    fields = {
        "wire": 1,
        "profile": DIGEST,
        "agent": "0.1.0",
        "epoch": "0" * 16,
        "seq": 1,
        "clock": 1_700_000_000,
    }
    return fields | changed


def _signed(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def _post(known: Known, path: str, body: object, token: str | None = None) -> requests.Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return requests.post(
        known.live.url + path,
        data=data,
        headers=_signed(known.machine if token is None else token),
        timeout=PATIENCE_S,
    )


def _head(known: Known, path: str = "/v1/check-ins", **headers: Any) -> bytes:
    told = {
        "Host": "localhost",
        "Authorization": f"Bearer {known.machine}",
        "Content-Type": "application/json",
    }
    told |= {name.replace("_", "-"): str(value) for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in told.items()]
    return "\r\n".join([f"POST {path} HTTP/1.1", *lines, "", ""]).encode()


def test_a_laptop_enrols_checks_in_uploads_and_is_told_its_standing(known: Known) -> None:
    """The way of the data, over the wire; a viewer then sees the machine and its timeline."""
    token = known.live.enrol("whole way", secrets.token_hex(16), known.secret)
    first = _post(known, "/v1/check-ins", _check_in(), token)
    assert msgspec.json.decode(first.content, type=Ack).wanted == (DIGEST,)
    uploaded = requests.put(
        f"{known.live.url}/v1/profiles/{DIGEST}",
        data=digest.canonical(PROFILE),
        headers=_signed(token),
        timeout=PATIENCE_S,
    )
    assert (uploaded.status_code, uploaded.content) == (201, b"")
    told = msgspec.convert(known.live.get("/v1/machines/me", token), MachineView)
    assert (told.label, told.profile) == ("whole way", DIGEST)
    seen = known.live.get(f"/v1/machines/{told.machine}", known.viewer)
    assert seen["findings"][0]["code"] == "build-unverified"
    assert "profile" in [each["kind"] for each in seen["timeline"]]


def test_a_check_in_may_end_in_a_slash(known: Known) -> None:
    """The path that Litestar answers and the one of the front door are one call."""
    plain = _post(known, "/v1/check-ins", _check_in(epoch="1" * 16))
    slash = _post(known, "/v1/check-ins/", _check_in(epoch="1" * 16))
    assert plain.status_code == slash.status_code == 200
    assert plain.json()["tag"] == slash.json()["tag"]


def test_repeating_an_enrolment_returns_the_same_machine(known: Known) -> None:
    """A lost answer costs nothing."""
    key = secrets.token_hex(16)
    first = known.live.enrol("twice", key, known.secret)
    assert known.live.enrol("twice", key, known.secret) == first


@pytest.mark.parametrize(
    ("body", "status", "path"),
    [
        (b"", 400, None),
        (b"{", 400, None),
        (b"\xff", 400, None),
        (b"[]", 422, "$"),
        (_check_in(seq="1"), 422, "$.seq"),
        (_check_in(seq=0), 422, "$.seq"),
        (_check_in(wire=2), 422, "$.wire"),
        (_check_in(more=1), 422, "$"),
        (_check_in(profile="sha256:x"), 422, "$.profile"),
        (_check_in(changes=[{"profile": DIGEST, "at": -1}]), 422, "$.changes[0].at"),
    ],
)
@pytest.mark.parametrize("route", ["/v1/check-ins", "/v1/check-ins/"])
def test_a_body_that_is_not_the_message_is_refused_with_its_place(
    known: Known, route: str, body: object, status: int, path: str | None
) -> None:
    """By the front door and by Litestar alike."""
    answer = _post(known, route, body)
    assert answer.status_code == status
    assert refusal(answer.content).path == path


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
    body = json.dumps(_check_in(epoch="2" * 16)).encode()
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


@pytest.mark.parametrize("route", ["/v1/check-ins", "/v1/check-ins/", "/v1/enrolments"])
def test_a_body_must_say_that_it_is_json(known: Known, route: str) -> None:
    """Anything else is refused before it is read."""
    answer = requests.post(
        known.live.url + route,
        data=b"{}",
        headers=_signed(known.machine) | {"Content-Type": "text/plain"},
        timeout=PATIENCE_S,
    )
    assert answer.status_code == 415
    assert "Content-Type: application/json" in refusal(answer.content).advice


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/check-ins"),
        ("POST", "/v1/check-ins/"),
        ("PUT", f"/v1/profiles/{DIGEST}"),
        ("GET", "/v1/machines/me"),
        ("GET", "/v1/status"),
        ("GET", "/v1/machines"),
        ("GET", "/v1/machines/0123456789abcdef"),
        ("GET", "/v1/releases"),
    ],
)
@pytest.mark.parametrize("sign", ["", "Basic eDp5", "Bearer", "Bearer x", "Bearer bpv_00_00"])
def test_without_a_token_that_holds_nothing_is_told(
    known: Known, method: str, path: str, sign: str
) -> None:
    """401, saying which token is needed; a machine's token reads nothing of others."""
    body = json.dumps(_check_in()).encode() if method == "POST" else digest.canonical(PROFILE)
    headers = {"Content-Type": "application/json"} | ({"Authorization": sign} if sign else {})
    answer = requests.request(
        method, known.live.url + path, data=body, headers=headers, timeout=PATIENCE_S
    )
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert refusal(answer.content).advice


@pytest.mark.parametrize("path", ["/v1/status", "/v1/machines", "/v1/releases"])
def test_a_machines_token_does_not_read_the_fleet(known: Known, path: str) -> None:
    """A laptop is told of itself only."""
    answer = requests.get(known.live.url + path, headers=_signed(known.machine), timeout=PATIENCE_S)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1/nothing", 404),
        ("GET", "/schema/nothing", 404),
        ("GET", "/%2e%2e/%ff", 404),
        ("DELETE", "/v1/status", 405),
        ("GET", "/v1/check-ins", 405),
        ("GET", "/v1/machines/nobody", 404),
        ("GET", "/v1/machines?limit=0", 422),
        ("GET", "/v1/machines?standing=lost", 422),
        ("GET", "/v1/releases?limit=many", 422),
    ],
)
def test_what_is_not_there_is_refused_in_the_same_shape(
    known: Known, method: str, path: str, status: int
) -> None:
    """A client needs one reader for every answer from 400 on."""
    answer = requests.request(
        method, known.live.url + path, headers=_signed(known.viewer), timeout=PATIENCE_S
    )
    assert answer.status_code == status
    assert refusal(answer.content).advice


def test_health_needs_no_token(known: Known) -> None:
    """A load balancer has none."""
    answer = requests.get(f"{known.live.url}/healthz", timeout=PATIENCE_S)
    assert answer.json() == {"state": "ok"}


def test_machines_are_told_page_by_page(known: Known) -> None:
    """Following `next` shows every machine once."""
    for number in range(3):
        known.live.enrol(f"paged {number}", secrets.token_hex(16), known.secret)
    everything = known.live.get("/v1/machines", known.viewer)["machines"]
    seen, after = [], ""
    while after is not None:
        page = known.live.get(f"/v1/machines?limit=2&after={after}", known.viewer)
        seen += page["machines"]
        after = page["next"]
    assert [each["machine"] for each in seen] == [each["machine"] for each in everything]
    unknown = known.live.get("/v1/machines?standing=unknown&group=default", known.viewer)
    assert {each["standing"] for each in unknown["machines"]} == {"unknown"}


def test_the_status_counts_every_machine(known: Known) -> None:
    """The sum of the standings is the fleet; a source not yet answered is named."""
    status = known.live.get("/v1/status", known.viewer)
    assert sum(status["fleet"]["standings"].values()) == status["fleet"]["machines"] > 0
    assert [each["source"] for each in status["sources"]] == ["npm"]


def test_the_schema_describes_every_call_and_refers_to_nothing_missing(known: Known) -> None:
    """The OpenAPI document is whole: check-ins, which Litestar does not answer, included."""
    answer = requests.get(f"{known.live.url}/schema", timeout=PATIENCE_S)
    schema = answer.json()
    assert schema["openapi"].startswith("3.1")
    assert set(schema["paths"]) == {
        "/healthz",
        "/v1/enrolments",
        "/v1/check-ins",
        "/v1/profiles/{digest}",
        "/v1/machines/me",
        "/v1/machines",
        "/v1/machines/{machine}",
        "/v1/status",
        "/v1/releases",
    }
    for sent in ("CheckIn", "Enrolment", "Change", "Config"):
        assert schema["components"]["schemas"][sent]["additionalProperties"] is False
    for reference in _references(schema):
        part: Any = schema
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]
    for path, calls in schema["paths"].items():
        for call in calls.values():
            is_open = path in {"/healthz", "/v1/enrolments"}
            assert bool(call.get("security")) is not is_open, path
            assert call["summary"]


def _references(part: object) -> list[str]:
    if isinstance(part, dict):
        own = [str(part["$ref"])] if "$ref" in part else []
        return own + [found for value in part.values() for found in _references(value)]
    if isinstance(part, list):
        return [found for value in part for found in _references(value)]
    return []


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
_bent = st.builds(
    lambda field, value: _check_in(**{field: value}), st.sampled_from(sorted(_check_in())), _json
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
    answer = _post(known, path, body)
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
        headers=_signed(known.viewer),
        timeout=PATIENCE_S,
    )
    assert answer.status_code < 500, answer.text


def test_no_token_is_logged(known: Known) -> None:
    """Neither what holds nor what was tried."""
    _post(known, "/v1/check-ins", _check_in(), "tried-and-refused")
    log = known.live.log
    assert '"event": "enrolled"' in log
    for secret in (known.secret, known.viewer, known.machine, "tried-and-refused"):
        assert secret not in log
