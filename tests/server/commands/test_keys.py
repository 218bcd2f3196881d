"""`token`: who may read, and who may change and signs for it."""

import json
import secrets

import requests

from tests.server.conftest import Known
from tests.server.live import PATIENCE_S, Live


def test_a_token_shows_its_role(live: Live) -> None:
    """When it is made and in the list; its beginning tells it too."""
    live.printed("migrate")
    assert live.printed("token", "create", "anna").startswith("bpv_")
    made = json.loads(live.printed("token", "create", "olga", "--operator", "--json"))
    assert made["token"].startswith("bpo_")
    assert (made["name"], made["role"]) == ("olga", "operator")
    rows = live.rows("token", "list")
    assert [row[1:3] for row in rows] == [["anna", "viewer"], ["olga", "operator"]]


def test_an_operator_has_a_name(known: Known) -> None:
    """What is changed with the token is signed with it."""
    done = known.live.run("token", "create", "--operator")
    assert done.returncode == 2
    assert "NAME signs what is changed with it" in done.stderr


def test_a_secret_is_for_a_group_that_can_be_one(known: Known) -> None:
    """A name that no answer could carry is refused before a laptop enrols with it."""
    done = known.live.run("enrolment-secret", "create", "--group", "a/b")
    assert done.returncode == 1
    assert "'a/b' cannot name a group" in done.stderr


def test_a_secret_ends_after_a_month_unless_it_is_told_otherwise(live: Live) -> None:
    """Its list tells its end, its quota and its use."""
    live.printed("migrate")
    for words in ([], ["--for", "12h", "--uses", "3"], ["--no-end"]):
        live.printed("enrolment-secret", "create", *words)
    made = json.loads(live.printed("enrolment-secret", "list", "--json"))
    lengths = [each["ends_at"] and each["ends_at"] - each["created_at"] for each in made]
    assert sorted(lengths, key=str) == [2_592_000, 43_200, None]
    assert sorted((each["uses"], each["uses_max"] or 0) for each in made) == [(0, 0)] * 2 + [(0, 3)]
    rows = live.rows("enrolment-secret", "list")
    assert sorted(row[5] for row in rows) == ["0", "0", "0 of 3"]


def test_a_length_that_is_none_makes_no_secret(known: Known) -> None:
    """One line says how it is written."""
    done = known.live.run("enrolment-secret", "create", "--for", "soon")
    assert (done.returncode, done.stdout) == (1, "")
    assert "'soon' is no length of time" in done.stderr


def test_a_leaked_secret_is_ended_with_its_machines(known: Known) -> None:
    """Beside the running server; also when it was revoked alone before. Others stay."""
    secret = known.live.printed("enrolment-secret", "create", "--group", "leaked")
    tokens = [
        known.live.enrol(f"leaked {number}", secrets.token_hex(16), secret) for number in range(2)
    ]
    identifier = secret.split("_")[1]
    known.live.printed("enrolment-secret", "revoke", identifier)
    for token in tokens:
        known.live.get("/v1/machines/me", token)
    done = known.live.run("enrolment-secret", "revoke", identifier, "--machines")
    assert (done.returncode, done.stderr) == (0, "the tokens of 2 machines have ended\n")
    for token in tokens:
        signed = {"Authorization": f"Bearer {token}"}
        url = f"{known.live.url}/v1/machines/me"
        assert requests.get(url, headers=signed, timeout=PATIENCE_S).status_code == 401
    known.live.get("/v1/machines/me", known.machine)
    assert known.live.run("enrolment-secret", "revoke", identifier, "--machines").returncode == 1


def test_a_secret_that_replaces_is_for_one_live_label(known: Known) -> None:
    """It enrols into that machine's group, once."""
    pilots = known.live.printed("enrolment-secret", "create", "--group", "pilots")
    old = known.live.enrol("wiped", secrets.token_hex(16), pilots)
    done = known.live.run("enrolment-secret", "create", "--replaces", "nobody")
    assert done.returncode == 1
    made = json.loads(
        known.live.printed("enrolment-secret", "create", "--replaces", "wiped", "--json")
    )
    assert made["group"] == "pilots"
    new = known.live.enrol("wiped", secrets.token_hex(16), made["secret"])
    assert known.live.get("/v1/machines/me", new)["group"] == "pilots"
    url, signed = f"{known.live.url}/v1/machines/me", {"Authorization": f"Bearer {old}"}
    assert requests.get(url, headers=signed, timeout=PATIENCE_S).status_code == 401
