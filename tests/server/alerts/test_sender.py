"""The sender, against a real receiver and a real database: at least once, twenty an hour."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from psycopg.sql import SQL
from pytest_httpserver import HTTPServer
from sqlalchemy import Engine, select

from server.alerts import bodies
from server.alerts.destinations.slack import Slack
from server.alerts.messages import Message
from server.alerts.outbox import end_operator, tell, tell_operator
from server.alerts.planning import CAP_S, MESSAGES_MAX, NEWS_MAX_AGE_S
from server.alerts.rows import HELD, NO_DESTINATION
from server.alerts.sender import LEASE_S, REFUSED_RETRY_S, Sender
from server.store.engine import open_engine
from server.store.outbox import outbox_health
from server.store.tables import outbox
from server.store.writer import Writer
from server.transitions import Transition
from tests.postgres import Postgres

HOOK = "/services/T000/B000/aVerySecretPath"
DYING = Path(__file__).with_name("dying_sender.py")
ROOT = Path(__file__).parents[3]

Make = Callable[..., Transition]
Sends = Callable[..., Sender]


@pytest.fixture
def receiver(httpserver: HTTPServer) -> HTTPServer:
    """A receiver that accepts everything."""
    httpserver.expect_request(HOOK, method="POST").respond_with_data("ok")
    return httpserver


def _titles(receiver: HTTPServer) -> list[str]:
    """The headers of all messages that arrived, in their order."""
    posts = (json.loads(request.data) for request, _ in receiver.log)
    return [post["blocks"][0]["text"]["text"] for post in posts]


def _drift(engine: Engine, make: Make, count: int, *, first: int = 0, at: int = 0) -> None:
    """So many machines that drift, each by its own doing."""
    with engine.begin() as conn:
        for number in range(first, first + count):
            labels = (f"mac-{number}",)
            tell(conn, make(machine_id=f"m{number}", labels=labels, at=at or make().at))


def test_a_drift_and_its_healing_are_one_message_each(
    engine: Engine, receiver: HTTPServer, sender: Sends, change: Make
) -> None:
    """Sent when due, marked after delivery, never sent again."""
    sends, now = sender(), change().at
    _drift(engine, change, 1)
    assert sends.send_due(now) == 0
    assert sends.send_due(now + bodies.MACHINE_SETTLE_S) == 1
    with engine.begin() as conn:
        tell(conn, change(before="drift", after="match", machine_id="m0", at=now + 600))
    assert sends.send_due(now + 700) == 1
    assert sends.send_due(now + 9_000) == 0
    assert _titles(receiver) == ["mac-0 drifted", "anna-mbp no longer drifts"]


def test_500_machines_by_one_cause_are_one_message(
    engine: Engine, receiver: HTTPServer, sender: Sends, change: Make
) -> None:
    """500 distinct profiles judged again in slices: one count and five names."""
    for start in range(0, 500, 50):
        with engine.begin() as conn:
            for number in range(start, start + 50):
                at = change().at + start // 50
                labels = (f"mac-{number}",)
                tell(conn, change(kind="fleet", profile_id=number, labels=labels, at=at))
    assert sender().send_due(change().at + bodies.FLEET_SETTLE_S) == 1
    ((request, _),) = receiver.log
    fields = [field["text"] for field in json.loads(request.data)["blocks"][2]["fields"]]
    assert _titles(receiver) == ["500 machines drifted"]
    assert "500 (with 500 profiles)" in fields
    assert "mac-0, mac-1, mac-2, mac-3, mac-4" in fields


def test_beyond_twenty_an_hour_the_rest_are_counted_in_the_next(
    engine: Engine, receiver: HTTPServer, sender: Sends, change: Make
) -> None:
    """58 laptops: twenty messages, and an hour later one that counts what came between."""
    sends, now = sender(), change().at + 60
    _drift(engine, change, 58)
    assert sends.send_due(now) == MESSAGES_MAX
    assert sends.send_due(now + CAP_S - 1) == 0
    assert sends.send_due(now + CAP_S) == 1
    last = json.loads(receiver.log[-1][0].data)
    assert last["blocks"][0]["text"]["text"] == "mac-20 drifted"
    assert last["blocks"][-1]["elements"][0]["text"] == (
        "and 37 more changes were not told one by one: 37 drifted"
    )
    assert sends.send_due(now + 2 * CAP_S) == 0
    with engine.connect() as conn:
        assert outbox_health(conn).waiting == 0


def test_a_fresh_change_carries_the_count_of_those_held_back(
    engine: Engine, receiver: HTTPServer, sender: Sends, change: Make
) -> None:
    """The next message is of what happens then."""
    sends, now = sender(), change().at + 60
    _drift(engine, change, 22)
    sends.send_due(now)
    _drift(engine, change, 1, first=99, at=now + CAP_S - 100)
    assert sends.send_due(now + CAP_S) == 1
    assert _titles(receiver)[-1] == "mac-99 drifted"
    note = json.loads(receiver.log[-1][0].data)["blocks"][-1]["elements"][0]["text"]
    assert note == "and 2 more changes were not told one by one: 2 drifted"


def test_held_rows_are_visible(
    engine: Engine, receiver: HTTPServer, sender: Sends, change: Make
) -> None:
    """What the limit holds back is counted on the status page."""
    assert receiver.log == []
    _drift(engine, change, 23)
    sender().send_due(change().at + 60)
    with engine.connect() as conn:
        health = outbox_health(conn)
        assert (health.waiting, health.held, health.failing) == (3, 3, 0)
        assert health.delivered_at == change().at + 60


def test_the_operator_is_not_held_back(
    engine: Engine, receiver: HTTPServer, sender: Sends, change: Make
) -> None:
    """An incident goes at once, however many messages the hour had, and uses up none."""
    sends, now = sender(), change().at + 60
    _drift(engine, change, 30)
    sends.send_due(now)
    with engine.begin() as conn:
        tell_operator(conn, "source npm", "npm cannot be reached", now + 1)
    assert sends.send_due(now + 1) == 1
    with engine.begin() as conn:
        end_operator(conn, "source npm", "npm is read again", now + 2)
    assert sends.send_due(now + 2) == 1
    assert _titles(receiver)[-2:] == [
        "The operator is needed",
        "An operator's incident is over",
    ]


def test_without_a_destination_rows_are_dropped_and_counted(
    engine: Engine, receiver: HTTPServer, sender: Sends, change: Make
) -> None:
    """Slack that is configured later is not flooded with old news."""
    _drift(engine, change, 3)
    assert sender(None).send_due(change().at + 60) == 0
    assert sender().send_due(change().at + 61) == 0
    assert receiver.log == []
    with engine.connect() as conn:
        assert outbox_health(conn).untold == 3
        assert set(conn.execute(select(outbox.c.reason)).scalars()) == {NO_DESTINATION}


def test_old_news_become_one_summary(
    engine: Engine, receiver: HTTPServer, sender: Sends, change: Make
) -> None:
    """A server that comes back after two days tells how much it missed, once."""
    _drift(engine, change, 40)
    assert sender().send_due(change().at + 2 * NEWS_MAX_AGE_S) == 1
    assert _titles(receiver) == ["40 changes were not told one by one"]
    with engine.connect() as conn:
        reasons = conn.execute(select(outbox.c.reason)).scalars().all()
        assert (reasons.count(None), reasons.count(HELD)) == (1, 39)


def test_a_busy_destination_is_left_alone_as_long_as_it_asks(
    engine: Engine, httpserver: HTTPServer, sender: Sends, change: Make
) -> None:
    """Retry-After holds for the whole outbox, and the order is kept."""
    busy = {"Retry-After": "120"}
    httpserver.expect_ordered_request(HOOK).respond_with_data("", status=429, headers=busy)
    for _ in range(2):
        httpserver.expect_ordered_request(HOOK).respond_with_data("ok")
    sends, now = sender(), change().at + 60
    _drift(engine, change, 2)
    assert sends.send_due(now) == 0
    assert sends.send_due(now + 119) == 0
    assert len(httpserver.log) == 1
    assert sends.send_due(now + 126) == 2
    assert _titles(httpserver) == ["mac-0 drifted", "mac-0 drifted", "mac-1 drifted"]


def test_a_failing_destination_is_asked_less_and_less_often(
    engine: Engine, httpserver: HTTPServer, sender: Sends, change: Make
) -> None:
    """In two hours of outage a few dozen attempts, one message in the end, nothing lost."""
    fault = httpserver.expect_request(HOOK)
    fault.respond_with_data("", status=503)
    sends, now = sender(), change().at + 60
    _drift(engine, change, 1)
    for second in range(0, 7_200, 5):
        assert sends.send_due(now + second) == 0
    assert 20 <= len(httpserver.log) <= 40
    with engine.connect() as conn:
        health = outbox_health(conn)
        assert (health.failing, health.reason) == (1, "slack put the message off: 503")
    httpserver.clear_all_handlers()
    httpserver.expect_request(HOOK).respond_with_data("ok")
    assert sends.send_due(now + 7_600) == 1
    with engine.connect() as conn:
        assert outbox_health(conn).failing == 0


def test_a_refused_message_is_kept_and_tried_hourly(
    engine: Engine,
    httpserver: HTTPServer,
    sender: Sends,
    change: Make,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A dead webhook is loud and visible, drops nothing, and is not hammered."""
    httpserver.expect_request(HOOK).respond_with_data("no_service", status=404)
    sends, now = sender(), change().at + 60
    _drift(engine, change, 1)
    sends.send_due(now)
    sends.send_due(now + REFUSED_RETRY_S - 1)
    assert len(httpserver.log) == 1
    sends.send_due(now + REFUSED_RETRY_S)
    assert len(httpserver.log) == 2
    with engine.connect() as conn:
        health = outbox_health(conn)
        assert (health.waiting, health.failing) == (1, 1)
        assert health.reason == "slack refused the message: 404 no_service"
    logged = "".join(capsys.readouterr())
    assert "404 no_service" in logged
    assert "aVerySecretPath" not in logged


def test_one_refused_message_does_not_stop_the_others(
    engine: Engine, httpserver: HTTPServer, sender: Sends, change: Make
) -> None:
    """What Slack cannot take steps aside; the next goes soon after."""
    httpserver.expect_ordered_request(HOOK).respond_with_data("invalid_blocks", status=400)
    httpserver.expect_ordered_request(HOOK).respond_with_data("ok")
    sends, now = sender(), change().at + 60
    _drift(engine, change, 2)
    assert sends.send_due(now) == 0
    assert sends.send_due(now + 60) == 1
    assert _titles(httpserver) == ["mac-0 drifted", "mac-1 drifted"]


def test_what_another_sender_has_taken_is_left_to_it(
    engine: Engine, receiver: HTTPServer, sender: Sends, change: Make
) -> None:
    """A lease keeps a second sender off until it has run out."""
    now = change().at + 60
    _drift(engine, change, 1)
    with engine.begin() as conn:
        conn.execute(outbox.update().values(lease_until=now + LEASE_S, attempts=1))
    assert sender().send_due(now + LEASE_S - 1) == 0
    assert sender().send_due(now + LEASE_S) == 1
    assert len(receiver.log) == 1


@pytest.mark.parametrize(("moment", "arrived"), [("before", 1), ("after", 2)])
def test_a_killed_sender_loses_nothing(
    database: str, receiver: HTTPServer, request: pytest.FixtureRequest, moment: str, arrived: int
) -> None:
    """Killed before sending: sent once. Killed before the mark: sent again, exactly twice."""
    make: Make = request.getfixturevalue("change")
    now = make().at + 60
    engine: Engine = request.getfixturevalue("engine")
    _drift(engine, make, 1)
    command = [sys.executable, str(DYING), database, receiver.url_for(HOOK), moment, str(now)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    died = subprocess.run(command, env=environment, timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL
    # Only now may this process write: the dead one held the lock.
    sends: Sender = request.getfixturevalue("sender")()
    assert sends.send_due(now + LEASE_S - 1) == 0
    assert sends.send_due(now + LEASE_S) == 1
    assert sends.send_due(now + 10 * LEASE_S) == 0
    assert len(receiver.log) == arrived


class Severing:
    """Slack, on whose way back the database ends all connections."""

    name = "slack"

    def __init__(self, slack: Slack, postgres: Postgres) -> None:
        self._slack = slack
        self._postgres = postgres

    def send(self, message: Message) -> None:
        """Sends, then severs."""
        self._slack.send(message)
        ends = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        )
        self._postgres.run(SQL(ends))


def test_what_was_sent_while_the_database_went_away_is_sent_once(
    postgres: Postgres, receiver: HTTPServer, slack: Slack, change: Make
) -> None:
    """It is marked as soon as there is a connection again, not sent again after the lease."""
    engine = open_engine(postgres.database())
    writer = Writer(engine)
    now = change().at
    writer.run(lambda conn: tell(conn, change(machine_id="m0", labels=("mac-0",)))).result()
    sends = Sender(engine, writer, Severing(slack, postgres), lambda: 0.0)
    assert sends.send_due(now + bodies.MACHINE_SETTLE_S) == 1
    assert sends.send_due(now + 2 * LEASE_S) == 0
    assert _titles(receiver) == ["mac-0 drifted"]
    writer.close()
    engine.dispose()


def test_the_hour_is_counted_across_a_restart(
    engine: Engine, receiver: HTTPServer, sender: Sends, change: Make
) -> None:
    """A new sender knows from the outbox how many messages went."""
    now = change().at + 60
    _drift(engine, change, 25)
    assert sender().send_due(now) == MESSAGES_MAX
    assert sender().send_due(now + 1) == 0
    assert len(receiver.log) == MESSAGES_MAX


def test_messages_of_a_clock_that_ran_ahead_are_not_of_this_hour(
    engine: Engine, receiver: HTTPServer, sender: Sends, change: Make
) -> None:
    """They would hold back all others until that time has come."""
    sends, now, ahead = sender(), change().at + 60, change().at + 3 * NEWS_MAX_AGE_S
    _drift(engine, change, MESSAGES_MAX, at=ahead - 60)
    assert sends.send_due(ahead) == MESSAGES_MAX
    _drift(engine, change, 1, first=100)
    assert sends.send_due(now) == 1
    assert len(receiver.log) == MESSAGES_MAX + 1


def test_a_wait_ends_where_the_clock_is_set_back_to_before_it(
    engine: Engine, httpserver: HTTPServer, sender: Sends, change: Make
) -> None:
    """It would last as long as the clock ran ahead."""
    httpserver.expect_ordered_request(HOOK).respond_with_data("", status=503)
    sends, now, ahead = sender(), change().at + 60, change().at + 3 * NEWS_MAX_AGE_S
    _drift(engine, change, 1)
    assert sends.send_due(ahead) == 0
    httpserver.clear_all_handlers()
    httpserver.expect_request(HOOK).respond_with_data("ok")
    assert sends.send_due(now) == 1


def test_the_secret_is_not_in_the_database(
    engine: Engine, database: str, httpserver: HTTPServer, sender: Sends, change: Make, slack: Slack
) -> None:
    """Reasons are kept without the address, also when the answer quotes it."""
    httpserver.expect_request(HOOK).respond_with_data(HOOK, status=500)
    _drift(engine, change, 1)
    sender(slack).send_due(change().at + 60)
    folder = Path(database.removeprefix("sqlite:///")).parent
    assert all(b"aVerySecretPath" not in path.read_bytes() for path in folder.iterdir())
