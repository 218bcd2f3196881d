"""How the tests ask the shared server."""

import json
from typing import Any

import requests

from agent import digest
from agent.wire import Build, Install, Profile
from tests.server.conftest import Known
from tests.server.live import PATIENCE_S

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


def check_in(**changed: object) -> dict[str, Any]:
    """A check-in as JSON values, with some fields changed or added."""
    fields = {
        "wire": 1,
        "profile": DIGEST,
        "agent": "0.1.0",
        "epoch": "0" * 16,
        "seq": 1,
        "clock": 1_700_000_000,
    }
    return fields | changed


def signed(token: str) -> dict[str, str]:
    """The headers of a request with a token and a JSON body."""
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def post(known: Known, path: str, body: object, token: str | None = None) -> requests.Response:
    """Sends a body, signed by the known machine unless another token is given."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return requests.post(
        known.live.url + path,
        data=data,
        headers=signed(known.machine if token is None else token),
        timeout=PATIENCE_S,
    )
