"""`activity` and `GET /v1/activity`, beside a running server."""

import json
import re
import secrets
import time

from server.activity import DAY_S
from server.views.activity import UNKNOWN
from tests.server.asking import check_in, post
from tests.server.conftest import Known


def test_use_is_told_by_group_and_version(known: Known) -> None:
    """As it was told over the wire; as JSON it is what the API tells."""
    secret = known.live.printed("enrolment-secret", "create", "--group", "using")
    token = known.live.enrol("using", secrets.token_hex(16), secret)
    day = int(time.time()) // DAY_S
    use = [{"day": day, "surface": "terminal", "seconds": 5_400, "starts": 3}]
    assert post(known, "/v1/check-ins", check_in(activity=use), token).status_code == 200
    lines = known.live.printed("activity", "--group", "using").splitlines()
    assert lines[0].startswith("since 20")
    assert [re.split(" {2,}", line) for line in lines[1:]] == [
        ["used", "surface", "hours", "starts", "on the public build"],
        ["using", "-", "1.5", "3", "not known"],
        [UNKNOWN, "terminal", "1.5", "3", "not known"],
    ]
    told = json.loads(known.live.printed("activity", "--group", "using", "--json"))
    assert told == known.live.get("/v1/activity?group=using", known.viewer)
    everyone = known.live.get("/v1/activity?days=2", known.viewer)
    assert (everyone["days"], everyone["groups"]["using"]["use_s"]) == (2, 5_400)
    assert known.live.get("/v1/activity?group=nobody-is-here", known.viewer)["builds"] == []
