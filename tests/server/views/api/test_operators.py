"""What operators say of machines over HTTP: waivers, groups, reference machines."""

import json
import secrets
import time
from typing import Any

import pytest
import requests

from server.waivers import WAIVER_MAX_S
from tests.e2e.waiting import wait_until
from tests.server.asking import signed
from tests.server.conftest import Known
from tests.server.expecting import LOW, laptop, profile, seen
from tests.server.live import PATIENCE_S, refusal

DAY = 86_400


def ask(
    known: Known, method: str, path: str, body: object = None, token: str | None = None
) -> requests.Response:
    """Asks as the operator, unless another token is given."""
    return requests.request(
        method,
        known.live.url + path,
        data=json.dumps(body).encode() if body is not None else None,
        headers=signed(known.operator if token is None else token),
        timeout=PATIENCE_S,
    )


def waiver(**changed: object) -> dict[str, Any]:
    """A waiver for a foreign package, for a day."""
    until = int(time.time()) + DAY
    return {"code": "build-unpublished", "reason": "a probe", "until": until} | changed


def codes(known: Known, machine: str) -> set[str]:
    """The codes of a machine's findings."""
    return {each.code for each in seen(known.live.url, known.viewer, machine).findings}


def listed(known: Known, machine: str) -> dict[str, Any]:
    """A machine as the list has it."""
    page = known.live.get("/v1/machines", known.viewer)["machines"]
    return dict(next(each for each in page if each["machine"] == machine))


def test_a_waiver_is_given_shown_everywhere_and_ended(known: Known) -> None:
    """The machine stands by it at once; who gave it and who ended it is kept."""
    machine = laptop(known.live.url, known.secret)
    assert machine.standing == "drift"
    answer = ask(known, "POST", f"/v1/machines/{machine.machine}/waivers", waiver())
    given = answer.json()
    assert (answer.status_code, given["person"], given["holds"]) == (201, "Olga", True)
    shown = seen(known.live.url, known.viewer, machine.machine)
    assert shown.standing == "exempt"
    assert [each.id for each in shown.waivers] == [given["id"]]
    assert shown.findings[0].waived_until == given["until"]
    assert listed(known, machine.machine)["waivers"] == 1
    ended = ask(known, "DELETE", f"/v1/waivers/{given['id']}").json()
    assert (ended["taken_back_by"], ended["holds"]) == ("Olga", False)
    assert seen(known.live.url, known.viewer, machine.machine).standing == "drift"
    assert "waivers" not in listed(known, machine.machine)
    of = f"/v1/waivers?machine={machine.machine}"
    assert known.live.get(of, known.viewer) == {"waivers": [], "next": None}
    assert known.live.get(f"{of}&ended=true", known.viewer)["waivers"] == [ended]


def test_one_that_holds_is_not_renewed(known: Known) -> None:
    """409, naming the one that holds."""
    path = f"/v1/machines/{laptop(known.live.url, known.secret).machine}/waivers"
    given = ask(known, "POST", path, waiver()).json()
    again = ask(known, "POST", path, waiver(until=int(time.time()) + 2 * DAY))
    assert again.status_code == 409
    assert given["id"] in refusal(again.content).error


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"person": "somebody else"}, "$"),
        ({"code": "build-pretty"}, "$.code"),
        ({"reason": ""}, "$.reason"),
        ({"reason": "one\ntwo"}, "$.reason"),
        ({"subject": "x" * 201}, "$.subject"),
        ({"until": 1}, "$.until"),
        ({"until": int(time.time()) + 2 * WAIVER_MAX_S}, "$.until"),
        ({"until": "soon"}, "$.until"),
    ],
)
def test_a_waiver_that_cannot_be_given_is_refused_with_its_place(
    known: Known, changed: dict[str, object], path: str
) -> None:
    """Nobody signs for another: a person is none of its fields."""
    machine = laptop(known.live.url, known.secret).machine
    answer = ask(known, "POST", f"/v1/machines/{machine}/waivers", waiver(**changed))
    assert answer.status_code == 422
    assert refusal(answer.content).path == path
    assert seen(known.live.url, known.viewer, machine).waivers == ()


def test_waivers_are_told_page_by_page(known: Known) -> None:
    """Following `next` shows each once."""
    machine = laptop(known.live.url, known.secret).machine
    for number in range(3):
        body = waiver(subject=f"copy {number}")
        assert ask(known, "POST", f"/v1/machines/{machine}/waivers", body).ok
    found, after = [], ""
    while after is not None:
        path = f"/v1/waivers?machine={machine}&limit=2&after={after}"
        page = known.live.get(path, known.viewer)
        found += [each["subject"] for each in page["waivers"]]
        after = page["next"]
    assert sorted(found) == ["copy 0", "copy 1", "copy 2"]


CHANGES = [
    ("POST", "/v1/machines/{machine}/waivers", waiver()),
    ("DELETE", "/v1/waivers/00000000", None),
    ("PUT", "/v1/machines/{machine}/group", {"group": "pilots"}),
    ("PUT", "/v1/references/pilots/{machine}", None),
    ("DELETE", "/v1/references/pilots/{machine}", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_a_viewer_changes_nothing(known: Known, method: str, path: str, body: object) -> None:
    """403, saying whose token it takes."""
    before = laptop(known.live.url, known.secret)
    where = path.format(machine=before.machine)
    answer = ask(known, method, where, body, known.viewer)
    assert answer.status_code == 403
    assert "--operator" in refusal(answer.content).advice
    after = seen(known.live.url, known.viewer, before.machine)
    assert (after.group, after.waivers, after.is_reference) == ("default", (), False)


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_without_a_token_nothing_is_changed(
    known: Known, method: str, path: str, body: object
) -> None:
    """401; a machine's token is none either."""
    for token in ("", known.machine, "bpo_00000000_" + "0" * 64):
        answer = ask(known, method, path.format(machine="0" * 16), body, token)
        assert answer.status_code == 401
        assert "operator token" in refusal(answer.content).error


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_what_is_not_there_is_refused(known: Known, method: str, path: str, body: object) -> None:
    """404, in the shape of every refusal."""
    answer = ask(known, method, path.format(machine="0" * 16), body)
    assert answer.status_code == 404
    assert refusal(answer.content).advice


@pytest.mark.parametrize("path", ["/v1/waivers", "/v1/references", "/v1/status"])
def test_who_may_change_may_read(known: Known, path: str) -> None:
    """An operator needs no second token; a machine's reads none of it."""
    assert ask(known, "GET", path).status_code == 200
    assert ask(known, "GET", path, token=known.viewer).status_code == 200
    assert ask(known, "GET", path, token=known.machine).status_code == 401


def test_a_machine_is_put_into_another_group(known: Known) -> None:
    """It is listed and judged there; a name that is none is refused."""
    machine = laptop(known.live.url, known.secret).machine
    moved = ask(known, "PUT", f"/v1/machines/{machine}/group", {"group": "movers"})
    assert (moved.status_code, moved.json()["group"]) == (200, "movers")
    assert moved.json()["standing"] == "drift"
    page = known.live.get("/v1/machines?group=movers", known.viewer)["machines"]
    assert [each["machine"] for each in page] == [machine]
    refused = ask(known, "PUT", f"/v1/machines/{machine}/group", {"group": "a/b"})
    assert (refused.status_code, refusal(refused.content).path) == (422, "$.group")


def test_what_a_reference_machine_has_is_no_finding_in_its_group(known: Known) -> None:
    """Within about a second of its marking, and no longer than it is marked."""
    group = f"group {secrets.token_hex(4)}"
    shows, compared = (laptop(known.live.url, known.secret, profile(LOW)).machine for _ in "ab")
    assert ask(known, "PUT", f"/v1/machines/{compared}/group", {"group": group}).ok
    assert "config-overridden" in codes(known, compared)
    path = f"/v1/references/{group}/{shows}"
    added = ask(known, "PUT", path)
    assert (added.status_code, added.json()["group"]) == (200, group)
    assert ask(known, "PUT", path).json() == added.json()
    assert known.live.get(f"/v1/references?group={group}", known.viewer) == {
        "references": [added.json()]
    }
    wait_until(lambda: "config-overridden" not in codes(known, compared))
    assert seen(known.live.url, known.viewer, shows).is_reference
    assert listed(known, shows)["is_reference"]
    assert "config-overridden" in codes(known, shows)  # it is in another group itself
    removed = ask(known, "DELETE", path)
    assert (removed.status_code, removed.content) == (204, b"")
    wait_until(lambda: "config-overridden" in codes(known, compared))
    assert ask(known, "DELETE", path).status_code == 404


def test_a_group_that_cannot_be_one_has_no_reference_machine(known: Known) -> None:
    """422, as everywhere."""
    machine = laptop(known.live.url, known.secret).machine
    answer = ask(known, "PUT", f"/v1/references/%20x/{machine}")
    assert answer.status_code == 422
    assert refusal(answer.content).advice
