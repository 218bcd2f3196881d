"""`token`: who may read, and who may change and signs for it."""

import json

from tests.server.conftest import Known
from tests.server.live import Live


def test_a_token_shows_its_role(live: Live) -> None:
    """When it is made and in the list; its beginning tells it too."""
    live.printed("migrate")
    assert live.printed("token", "create", "anna").startswith("bpv_")
    made = json.loads(live.printed("token", "create", "olga", "--operator", "--json"))
    assert made["token"].startswith("bpo_")
    assert (made["name"], made["role"]) == ("olga", "operator")
    rows = [line.split("\t") for line in live.printed("token", "list").splitlines()]
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
