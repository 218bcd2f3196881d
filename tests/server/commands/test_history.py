"""`share`, `heads` and `machines show --at`, beside a running server."""

import json
import re
import secrets
from datetime import UTC, datetime

from server.store.engine import open_engine, writing
from tests.server.conftest import Known
from tests.server.live import Live


def test_a_machine_is_shown_as_it_was_at_a_moment(known: Known) -> None:
    """By its label; as JSON it is what the API tells."""
    known.live.enrol("shown then", secrets.token_hex(16), known.secret)
    now = json.loads(known.live.printed("machines", "show", "shown then", "--json"))
    at = datetime.fromtimestamp(now["since"], UTC).isoformat()
    shown = known.live.printed("machines", "show", "shown then", "--at", at)
    assert re.search(r"(?m)^standing +unknown$", shown)
    told = json.loads(known.live.printed("machines", "show", "shown then", "--at", at, "--json"))
    path = f"/v1/machines/{now['machine']}/at?at={now['since']}"
    assert told == known.live.get(path, known.viewer)


def test_a_share_is_printed_for_all_and_by_group(known: Known) -> None:
    """With the numbers that it is made of."""
    secret = known.live.printed("enrolment-secret", "create", "--group", "sharing")
    known.live.enrol("sharing", secrets.token_hex(16), secret)
    assert known.live.printed("share").startswith("as of 20")
    heading, *rows = known.live.rows("share")
    assert heading == ["group", "share"]
    assert rows[0][0] == "all groups"
    assert ["sharing", "0.0% of 1 (1 unknown)"] in rows
    one = known.live.printed("share", "--group", "sharing", "--json")
    assert json.loads(one)["tally"]["standings"] == {"unknown": 1}


def test_a_moment_that_cannot_be_read_is_one_line(known: Known) -> None:
    """With how to write it; also one that has not come, and one of which nothing is kept."""
    done = known.live.run("share", "--at", "2026-04-16T14:05")
    assert done.returncode == 1
    assert done.stderr.startswith("parity-server: '2026-04-16T14:05' has no offset from UTC; write")
    done = known.live.run("heads", "--at", "2999-01-01T00:00:00Z")
    assert "has not come yet; name a moment of the past" in done.stderr
    done = known.live.run("share", "--at", "0")
    assert "nothing is known of 1970-01-01 00:00Z: counts are kept from" in done.stderr


def test_heads_of_a_moment_are_those_read_by_then(live: Live) -> None:
    """Two versions after each other on one channel, and a moment in the time of each."""
    live.printed("migrate")
    engine = open_engine(f"sqlite:///{live.folder / 'server.db'}")
    with writing(engine) as conn:
        for version, first, last in (("2.1.116", 1000, 2000), ("2.1.114", 2060, 9000)):
            conn.exec_driver_sql(
                "INSERT INTO readings (source, channel, version, first_seen, last_seen)"
                " VALUES ('npm', 'latest', ?, ?, ?)",
                (version, first, last),
            )
    engine.dispose()
    assert live.rows("heads", "--at", "2030")[0][:3] == ["latest", "npm", "2.1.116"]
    assert live.rows("heads", "--at", "2060")[0][2] == "2.1.114"
    told = json.loads(live.printed("heads", "--at", "2030", "--json"))
    assert [(each["version"], each["read_at"], each["age_s"]) for each in told["heads"]] == [
        ("2.1.116", 2000, 30)
    ]
    assert "nothing had been read by then" in live.run("heads", "--at", "999").stderr
