"""`versions` and `GET /v1/versions`, beside a running server."""

import json
import re
import secrets

import msgspec
import requests

from agent import digest
from server.commands.versions import rows
from server.views.activity import NOT_PUBLIC
from server.views.versions import VersionsView, VersionUse
from tests.server.asking import PROFILE, check_in, post, signed
from tests.server.conftest import Known
from tests.server.live import PATIENCE_S


def test_versions_are_told_by_group_and_day(known: Known) -> None:
    """As a laptop's profile has them; as JSON it is what the API tells."""
    secret = known.live.printed("enrolment-secret", "create", "--group", "versioned")
    token = known.live.enrol("versioned", secrets.token_hex(16), secret)
    profile = msgspec.structs.replace(PROFILE, arch="arm64")  # its own: others look for theirs
    name = digest.of_value(profile)
    (wanted,) = post(known, "/v1/check-ins", check_in(profile=name), token).json()["wanted"]
    requests.put(
        f"{known.live.url}/v1/profiles/{wanted}",
        data=digest.canonical(profile),
        headers=signed(token),
        timeout=PATIENCE_S,
    ).raise_for_status()
    lines = known.live.printed("versions", "--group", "versioned").splitlines()
    assert re.fullmatch("days since 20.*; 1 machine", lines[0])
    assert [re.split(" {2,}", line) for line in lines[1:]] == [
        ["version", "machines", "share", "by group", "at the end of each day"],
        [NOT_PUBLIC, "1", "100.0%", "versioned 1", "1"],
    ]
    shown = json.loads(known.live.printed("versions", "--group", "versioned", "--json"))
    assert shown == known.live.get("/v1/versions?group=versioned", known.viewer)
    everyone = known.live.get("/v1/versions?days=2", known.viewer)
    groups = {each["version"]: each["groups"] for each in everyone["versions"]}
    assert groups[NOT_PUBLIC]["versioned"] == 1
    assert known.live.get("/v1/versions?group=nobody-is-here", known.viewer)["versions"] == []


def test_the_numbers_of_a_day_stand_below_each_other() -> None:
    """However many digits they have; a version that nobody has any more is in no group."""
    told = VersionsView(
        since=0,
        machines=1_200,
        versions=(
            VersionUse("2.1.330", 1_200, 1.0, (0, 95, 1_200), {"default": 1_000, "pilots": 200}),
            VersionUse("2.1.329", 0, 0.0, (1_200, 1_105, 0)),
        ),
    )
    assert rows(told) == [
        ("2.1.330", 1_200, "100.0%", "default 1000, pilots 200", "   0   95 1200"),
        ("2.1.329", 0, "0.0%", "", "1200 1105    0"),
    ]
    assert rows(VersionsView(since=0, machines=0, versions=())) == []
