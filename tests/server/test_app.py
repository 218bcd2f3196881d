"""The server's outside: what is answered, and how everything else is refused."""

import json
import secrets
from typing import Any

import msgspec
import pytest
import requests

from agent import digest
from agent.wire import Ack, MachineView
from tests.server.asking import DIGEST, PROFILE, check_in, post, signed
from tests.server.conftest import Known
from tests.server.live import PATIENCE_S, refusal


def test_a_laptop_enrols_checks_in_uploads_and_is_told_its_standing(known: Known) -> None:
    """The way of the data, over the wire; a viewer then sees the machine and its timeline."""
    token = known.live.enrol("whole way", secrets.token_hex(16), known.secret)
    first = post(known, "/v1/check-ins", check_in(), token)
    assert msgspec.json.decode(first.content, type=Ack).wanted == (DIGEST,)
    uploaded = requests.put(
        f"{known.live.url}/v1/profiles/{DIGEST}",
        data=digest.canonical(PROFILE),
        headers=signed(token),
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
    plain = post(known, "/v1/check-ins", check_in(epoch="1" * 16))
    slash = post(known, "/v1/check-ins/", check_in(epoch="1" * 16))
    assert plain.status_code == slash.status_code == 200
    assert plain.json()["tag"] == slash.json()["tag"]


def test_a_machine_that_leaves_is_seen_as_left_and_its_label_is_free(known: Known) -> None:
    """Over the wire: 204 once, then 401, which to an agent says that it is gone."""
    token = known.live.enrol("going", secrets.token_hex(16), known.secret)
    machine = known.live.get("/v1/machines/me", token)["machine"]
    address = f"{known.live.url}/v1/machines/me"
    left = requests.delete(address, headers=signed(token), timeout=PATIENCE_S)
    assert (left.status_code, left.content) == (204, b"")
    again = requests.delete(address, headers=signed(token), timeout=PATIENCE_S)
    assert again.status_code == 401
    assert "enrol --again" in refusal(again.content).advice
    assert known.live.get(f"/v1/machines/{machine}", known.viewer)["standing"] == "left"
    assert known.live.enrol("going", secrets.token_hex(16), known.secret) != token


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
        (check_in(seq="1"), 422, "$.seq"),
        (check_in(seq=0), 422, "$.seq"),
        (check_in(wire=2), 422, "$.wire"),
        (check_in(more=1), 422, "$"),
        (check_in(profile="sha256:x"), 422, "$.profile"),
        (check_in(changes=[{"profile": DIGEST, "at": -1}]), 422, "$.changes[0].at"),
    ],
)
@pytest.mark.parametrize("route", ["/v1/check-ins", "/v1/check-ins/"])
def test_a_body_that_is_not_the_message_is_refused_with_its_place(
    known: Known, route: str, body: object, status: int, path: str | None
) -> None:
    """By the front door and by Litestar alike."""
    answer = post(known, route, body)
    assert answer.status_code == status
    assert refusal(answer.content).path == path


@pytest.mark.parametrize("route", ["/v1/check-ins", "/v1/check-ins/", "/v1/enrolments"])
def test_a_body_must_say_that_it_is_json(known: Known, route: str) -> None:
    """Anything else is refused before it is read."""
    answer = requests.post(
        known.live.url + route,
        data=b"{}",
        headers=signed(known.machine) | {"Content-Type": "text/plain"},
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
        ("DELETE", "/v1/machines/me"),
        ("GET", "/v1/status"),
        ("GET", "/v1/machines"),
        ("GET", "/v1/machines/0123456789abcdef"),
        ("GET", "/v1/machines/0123456789abcdef/at?at=0"),
        ("GET", "/v1/share"),
        ("GET", "/v1/heads"),
        ("GET", "/v1/releases"),
        ("GET", "/v1/activity"),
        ("GET", "/v1/versions"),
    ],
)
@pytest.mark.parametrize("sign", ["", "Basic eDp5", "Bearer", "Bearer x", "Bearer bpv_00_00"])
def test_without_a_token_that_holds_nothing_is_told(
    known: Known, method: str, path: str, sign: str
) -> None:
    """401, saying which token is needed; a machine's token reads nothing of others."""
    body = json.dumps(check_in()).encode() if method == "POST" else digest.canonical(PROFILE)
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
    answer = requests.get(known.live.url + path, headers=signed(known.machine), timeout=PATIENCE_S)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("GET", "/schema/nothing", 404),
        ("GET", "/%2e%2e/%ff", 404),
        ("DELETE", "/v1/status", 405),
        ("GET", "/v1/check-ins", 405),
        ("GET", "/v1/machines/nobody", 404),
        ("GET", "/v1/machines/nobody/at?at=0", 404),
        ("GET", "/v1/machines/nobody/at", 422),
        ("GET", "/v1/share?at=yesterday", 422),
        ("GET", "/v1/heads?at=2026-04-16T14:05:00", 422),
        ("GET", "/v1/machines?limit=0", 422),
        ("GET", "/v1/machines?standing=lost", 422),
        ("GET", "/v1/releases?limit=many", 422),
        ("GET", "/v1/activity?days=0", 422),
        ("GET", "/v1/versions?days=93", 422),
    ],
)
def test_what_is_not_there_is_refused_in_the_same_shape(
    known: Known, method: str, path: str, status: int
) -> None:
    """A client needs one reader for every answer from 400 on."""
    answer = requests.request(
        method, known.live.url + path, headers=signed(known.viewer), timeout=PATIENCE_S
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
        "/v1/machines/me/token",
        "/v1/machines",
        "/v1/machines/{machine}",
        "/v1/machines/{machine}/at",
        "/v1/machines/{machine}/group",
        "/v1/machines/{machine}/waivers",
        "/v1/waivers",
        "/v1/waivers/{waiver}",
        "/v1/references",
        "/v1/references/{group}/{machine}",
        "/v1/share",
        "/v1/heads",
        "/v1/meanings",
        "/v1/status",
        "/v1/releases",
        "/v1/activity",
        "/v1/versions",
    }
    for sent in (
        "CheckIn",
        "Activity",
        "Enrolment",
        "Change",
        "Config",
        "WaiverAsked",
        "GroupAsked",
    ):
        assert schema["components"]["schemas"][sent]["additionalProperties"] is False
    for reference in _references(schema):
        part: Any = schema
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]
    for path, calls in schema["paths"].items():
        for call in calls.values():
            is_open = path in {"/healthz", "/v1/enrolments", "/v1/meanings"}
            assert bool(call.get("security")) is not is_open, path
            assert call["summary"]


def _references(part: object) -> list[str]:
    if isinstance(part, dict):
        own = [str(part["$ref"])] if "$ref" in part else []
        return own + [found for value in part.values() for found in _references(value)]
    if isinstance(part, list):
        return [found for value in part for found in _references(value)]
    return []


def test_no_token_is_logged(known: Known) -> None:
    """Neither what holds nor what was tried."""
    post(known, "/v1/check-ins", check_in(), "tried-and-refused")
    log = known.live.log
    assert '"event": "enrolled"' in log
    for secret in (known.secret, known.viewer, known.machine, "tried-and-refused"):
        assert secret not in log
