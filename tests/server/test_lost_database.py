"""A server whose PostgreSQL goes away and comes back: it refuses meanwhile, and goes on."""

from collections.abc import Iterator

import pytest
import requests

from tests.postgres import Postgres
from tests.server.live import PATIENCE_S, Live


@pytest.fixture
def mortal() -> Iterator[Postgres]:
    """A PostgreSQL that may die."""
    server = Postgres().start()
    yield server
    server.remove()


class Speaker:
    """A machine that checks in as its agent does: the same again until it is acknowledged."""

    def __init__(self, live: Live, token: str) -> None:
        self._live = live
        self._headers = {"Authorization": f"Bearer {token}"}
        self.seq = 1

    def speak(self) -> requests.Response:
        """One check-in; the next one has the next number if this is acknowledged."""
        body = {
            "wire": 1,
            "profile": "sha256:" + "1" * 64,
            "agent": "0.1.0",
            "epoch": "0" * 16,
            "seq": self.seq,
            "clock": 1_777_000_000,
        }
        answer = requests.post(
            f"{self._live.url}/v1/check-ins", json=body, headers=self._headers, timeout=PATIENCE_S
        )
        self.seq += answer.status_code == 200
        return answer

    def speak_until(self, status: int) -> requests.Response:
        """Goes on until it is answered so; every answer is an ack or a 503."""
        while (answer := self.speak()).status_code != status:
            assert answer.status_code in {200, 503}
        return answer


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_check_ins_go_on_when_the_database_is_back(live: Live, mortal: Postgres, how: str) -> None:
    """Restarted, or crashed: no start of the server is needed, and no ack was wrong."""
    url = mortal.database()
    live.environment["PARITY_SERVER_DATABASE_URL"] = url
    secret = live.printed("enrolment-secret", "create")
    viewer = live.printed("token", "create", "tests")
    live.start()
    speaker = Speaker(live, live.enrol("anna", "0" * 32, secret))
    assert speaker.speak().status_code == 200
    mortal.stop(how)
    refused = speaker.speak_until(503)
    assert int(refused.headers["retry-after"]) > 0
    assert str(mortal.folder) not in refused.text
    asked = {"Authorization": f"Bearer {viewer}"}
    read = requests.get(f"{live.url}/v1/machines", headers=asked, timeout=PATIENCE_S)
    assert read.status_code == 503
    assert requests.get(f"{live.url}/healthz", timeout=PATIENCE_S).status_code == 200
    mortal.start()
    speaker.speak_until(200)
    speaker.speak_until(200)
    (machine,) = live.get("/v1/machines", viewer)["machines"]
    assert machine["label"] == "anna"
    assert live.stop() == 0
    assert "Traceback" not in live.log
    # The number of the last acknowledged one is stored.
    live.start()
    speaker.seq -= 1
    assert speaker.speak().json()["resync"] is False
    live.stop()
