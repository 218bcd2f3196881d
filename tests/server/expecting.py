"""Laptops that drift for one reason, for the tests of what operators say about them."""

import json
import secrets

import msgspec
import requests

from agent import digest
from agent.wire import Build, Config, Enrolment, Install, MachineView, Override, Profile
from tests.server.asking import check_in, signed
from tests.server.live import PATIENCE_S

FOREIGN = Build("c" * 64, 1, "binary", "2.1.330", "linux-x64", package="@elsewhere/claude-code")
LOW = Override("setting", "effortLevel", "user", "behaviour", "low")


def profile(*overrides: Override, build: Build = FOREIGN) -> Profile:
    """One copy, which a terminal starts; a foreign one unless another build is given."""
    install = Install("npm", "global", build=build, starts=("terminal",))
    config = Config(1, "sha256:" + "0" * 64, overrides)
    return Profile(1, "linux", "x64", (install,), config=config)


def laptop(url: str, secret: str, told: Profile | None = None) -> MachineView:
    """A new machine that has told its profile to a server; what it is told then."""
    label = f"laptop {secrets.token_hex(4)}"
    enrolment = Enrolment(1, secret, label, secrets.token_hex(16))
    made = _ask("POST", f"{url}/v1/enrolments", digest.canonical(enrolment))
    token = str(made.json()["token"])
    body = digest.canonical(told or profile())
    name = digest.of_bytes(body)
    message = check_in(profile=name, epoch=secrets.token_hex(8))
    acked = _ask("POST", f"{url}/v1/check-ins", json.dumps(message).encode(), token)
    if name in acked.json()["wanted"]:
        _ask("PUT", f"{url}/v1/profiles/{name}", body, token)
    return seen(url, token, "me")


def seen(url: str, token: str, machine: str) -> MachineView:
    """A machine as it is told to itself or to a viewer."""
    told = _ask("GET", f"{url}/v1/machines/{machine}", None, token)
    return msgspec.json.decode(told.content, type=MachineView)


def _ask(method: str, url: str, body: bytes | None, token: str = "") -> requests.Response:
    answer = requests.request(method, url, data=body, headers=signed(token), timeout=PATIENCE_S)
    assert answer.ok, answer.text
    return answer
