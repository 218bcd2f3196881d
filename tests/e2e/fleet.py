"""Many machines over HTTP: what agents send, without the laptops."""

import secrets
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import msgspec
import requests

from agent import digest
from agent.wire import Build, CheckIn, Config, Enrolment, Install, Profile
from tests.e2e.harness import Server

THREADS = 8
TIMEOUT_S = 60

DEFAULT = Config(revision=1, hash=digest.of_value(["public default"]))


def profile_of(build: Build, *, at_rest: Iterable[Install] = ()) -> Profile:
    """A Linux machine whose terminal starts one npm install with these bytes."""
    started = Install(method="npm", place="global", build=build, starts=("terminal",))
    return Profile(wire=1, os="linux", arch="x64", installs=(started, *at_rest), config=DEFAULT)


def leftover(number: int) -> Install:
    """A copy at rest that no other machine has: it makes a profile distinct."""
    return Install(
        method="npm", place="nvm", build=Build(sha256=f"{number:064x}", size=number, form="binary")
    )


@dataclass
class Machine:
    """An enrolled machine.

    Attributes:
        server: Where.
        label: Its name.
        token: Of the machine.
        epoch: Of its journal.
        seq: Of its last check-in.
    """

    server: Server
    label: str
    token: str
    epoch: str
    seq: int = 0

    @classmethod
    def enrol(cls, server: Server, label: str) -> "Machine":
        """Enrols one more machine.

        Raises:
            requests.HTTPError: It was refused.
        """
        secret = server.secret_file.read_text(encoding="utf-8").strip()
        wish = Enrolment(wire=1, secret=secret, label=label, key=secrets.token_hex(16))
        answer = requests.post(
            server.url + "/v1/enrolments",
            data=msgspec.json.encode(wish),
            headers={"Content-Type": "application/json"},
            timeout=TIMEOUT_S,
        )
        answer.raise_for_status()
        return cls(server, label, answer.json()["token"], secrets.token_hex(8))

    def message(self, profile: Profile) -> CheckIn:
        """Its next check-in."""
        return CheckIn(
            wire=1,
            profile=digest.of_value(profile),
            agent="0.1.0",
            epoch=self.epoch,
            seq=self.seq + 1,
            clock=int(time.time()),
        )

    def post(self, message: CheckIn) -> requests.Response:
        """Sends a check-in."""
        return requests.post(
            self.server.url + "/v1/check-ins",
            data=msgspec.json.encode(message),
            headers=self.headers,
            timeout=TIMEOUT_S,
        )

    def check_in(self, profile: Profile) -> None:
        """A check-in, and the profile if it is wanted.

        Raises:
            requests.HTTPError: One of them was refused.
        """
        answer = self.post(self.message(profile))
        answer.raise_for_status()
        self.seq += 1
        for name in answer.json().get("wanted", ()):
            requests.put(
                f"{self.server.url}/v1/profiles/{name}",
                data=digest.canonical(profile),
                headers=self.headers,
                timeout=TIMEOUT_S,
            ).raise_for_status()

    @property
    def headers(self) -> dict[str, str]:
        """What every request of it carries."""
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}


def enrol_all(server: Server, count: int, profile: Callable[[int], Profile]) -> list[Machine]:
    """Enrols and checks in `count` machines, each with the profile of its number."""

    def one(number: int) -> Machine:
        machine = Machine.enrol(server, f"laptop-{number:05}")
        machine.check_in(profile(number))
        return machine

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(count)))
