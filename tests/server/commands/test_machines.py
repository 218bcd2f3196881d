"""`machines show` of two laptops that speak with one identity."""

import json
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import requests

from server.views.machines import MEND_SHARED
from tests.server.asking import check_in, post, signed
from tests.server.conftest import Known
from tests.server.live import PATIENCE_S


def speak(known: Known, token: str, epoch: str) -> bool:
    """A first check-in in an epoch; whether it was sent back to draw another one."""
    answer = post(known, "/v1/check-ins", check_in(epoch=epoch), token)
    assert answer.ok, answer.text
    return bool(answer.json().get("resync"))


def shown(known: Known, machine: str) -> Mapping[str, Any]:
    """What the command tells as JSON, which is what the API tells."""
    told = dict(json.loads(known.live.printed("machines", "show", machine, "--json")))
    seen = known.live.get(f"/v1/machines/{told['machine']}", known.viewer)
    assert seen.get("shared") == told.get("shared")
    return told


def test_two_laptops_of_one_identity_are_shown_with_what_is_known_of_both(known: Known) -> None:
    """Their epochs, when each spoke, until when it is said, and what to do where."""
    label = f"copied {secrets.token_hex(4)}"
    token = known.live.enrol(label, secrets.token_hex(16), known.secret)
    first, twin, again, other = (secrets.token_hex(8) for _ in range(4))
    assert not speak(known, token, first)
    assert not speak(known, token, twin)
    assert speak(known, token, first)
    assert not speak(known, token, again)
    assert "shared" not in shown(known, label)
    assert "two laptops" not in known.live.printed("machines", "show", label)

    assert speak(known, token, twin)
    assert not speak(known, token, other)
    told = shown(known, label)
    shared = told["shared"]
    assert (shared["epoch"], shared["left"]) == (other, [first, twin, again])
    assert shared["acknowledged_at"] == told["last_seen"]
    assert len(shared["turns"]) == 2
    assert shared["until"] == shared["turns"][-1] + 86_400
    assert shared["mend"] == MEND_SHARED

    printed = known.live.printed("machines", "show", label)
    assert re.search(r"(?m)^two laptops +are told as sharing it until 20", printed)
    assert re.findall(r"(?m)^epoch +(\w+)", printed) == [other, again, twin, first]
    assert f"{other}: acknowledged last, at 20" in printed
    assert f"mend it        {MEND_SHARED}" in printed

    assert "why_left" not in told
    known.live.printed("machines", "revoke", label)
    assert "shared" not in shown(known, told["machine"])


def say_goodbye(known: Known, _label: str, token: str) -> None:
    """As a laptop does that is uninstalled."""
    url = f"{known.live.url}/v1/machines/me"
    requests.delete(url, headers=signed(token), timeout=PATIENCE_S).raise_for_status()


def revoke(known: Known, label: str, _token: str) -> None:
    """As an operator does."""
    known.live.printed("machines", "revoke", label)


def replace(known: Known, label: str, _token: str) -> None:
    """As a laptop does that was installed anew."""
    secret = known.live.printed("enrolment-secret", "create", "--replaces", label)
    known.live.enrol(label, secrets.token_hex(16), secret)


@pytest.mark.parametrize(
    ("leave", "why", "words"),
    [
        (say_goodbye, "uninstalled", "its user let go of it"),
        (revoke, "revoked", "an operator ended it"),
        (replace, "replaced", "another machine took its label"),
    ],
)
def test_a_machine_that_left_is_shown_with_the_reason(
    known: Known, leave: Callable[[Known, str, str], None], why: str, words: str
) -> None:
    """A laptop that said goodbye needs nobody to ask after it."""
    label = f"gone {secrets.token_hex(4)}"
    token = known.live.enrol(label, secrets.token_hex(16), known.secret)
    machine = str(shown(known, label)["machine"])
    leave(known, label, token)
    assert shown(known, machine)["why_left"] == why
    assert re.search(rf"(?m)^why +{words}", known.live.printed("machines", "show", machine))
