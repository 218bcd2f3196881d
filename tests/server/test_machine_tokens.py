"""A machine's token takes turns with the next one, and no laptop is ever left outside.

The real intake and store on one side; on the other the agent's own conversation with its files,
killed, restored from a backup and copied at will.
"""

import asyncio
import secrets
import shutil
from collections.abc import Coroutine, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import exchange, identity
from agent.answers import Answer
from agent.digest import canonical
from agent.errors import ExchangeError
from agent.exchange import Exchange, Pace
from agent.exchange_table import EVENTS, Event, State
from agent.identity import Identity, Renewal
from agent.journal import open_journal
from agent.pause_file import Pauses
from agent.talk import Talk
from agent.wire import CheckIn, Enrolment
from agent.wire import Renewal as Wish
from server.errors import RequestRefused
from server.intake import TOKEN_MAX_AGE_S
from server.store import fleet
from server.views.api import refusals
from tests.server.shop import BEHIND, HEAD, Shop, profile

URL = "https://parity.example"
FAULTS = ("request lost", "answer lost", "killed before", "killed after")
PACE = Pace(spread_s=0)


class KilledError(BaseException):
    """The agent ended here; nothing of it is left but its files."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A store without HTTP."""
    (tmp_path / "server").mkdir()
    shop = Shop(tmp_path / "server")
    yield shop
    shop.close()


class Line:
    """The way to the intake, with faults."""

    def __init__(self, shop: Shop, token: str, faults: list[str], used: list[str]) -> None:
        self.shop = shop
        self.token = token
        self.faults = faults
        self.used = used

    def use(self, token: str) -> None:
        """Signs every later request with this token, which is on disk by now."""
        self.token = token

    def send(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """One request, with the next fault that is due."""
        fault = self.faults.pop() if self.faults else ""
        if fault == "request lost":
            raise ExchangeError("lost", advice="wait")
        if fault == "killed before":
            raise KilledError
        answer = self._answer(f"{method} {path}", body or b"")
        if fault == "answer lost":
            raise ExchangeError("lost", advice="wait")
        if fault == "killed after":
            raise KilledError
        return answer

    def _answer(self, asked: str, body: bytes) -> Answer:
        intake = self.shop.intake
        if asked.startswith("PUT v1/profiles/"):
            return _told(201, intake.put_profile(self.token, asked.rpartition("/")[2], body))
        if asked == "POST v1/machines/me/token":
            wish = msgspec.json.decode(body, type=Wish)
            return _told(201, intake.renew(self.token, wish))
        if asked == "GET v1/machines/me":
            return _told(200, intake.machine(self.token))
        check_in = msgspec.json.decode(body, type=CheckIn)
        answer = _told(200, intake.check_in(self.token, check_in))
        if answer.status == 200 and self.token not in self.used:
            self.used.append(self.token)
        return answer


def _told(status: int, work: Coroutine[Any, Any, object]) -> Answer:
    try:
        return Answer(status, msgspec.json.encode(asyncio.run(work)))
    except RequestRefused as refused:
        reply = refusals.told(refused)
        return Answer(reply.status, reply.body, float(refused.retry_after_s or 0))


class Laptop:
    """An agent's state folder and conversation; enrolled, with something to tell."""

    def __init__(self, shop: Shop, folder: Path) -> None:
        self.shop, self.folder = shop, folder
        self.used: list[str] = []
        self.faults: list[str] = []
        self.x = Exchange()
        key, label = secrets.token_hex(16), f"laptop {secrets.token_hex(4)}"
        enrolled = asyncio.run(shop.intake.enrol(Enrolment(1, shop.secret, label, key)))
        who = Identity(URL, enrolled.machine, enrolled.token, label, enrolled.group, key=key)
        identity.keep(folder, who)
        self.look(0)

    def look(self, number: int) -> None:
        """Finds one of two builds."""
        with closing(open_journal(self.folder)) as journal:
            journal.record(canonical(profile((HEAD, BEHIND)[number])), self.shop.now)

    def converse(self) -> State:
        """Waits as long as it has to, then says what there is to say, or is killed."""
        who = identity.load(self.folder)
        assert who is not None
        self.shop.now = max(self.shop.now, int(self.x.at)) + 1
        if (self.x.state, Event.DUE) in EVENTS:
            self.x = exchange.happened(self.x, Event.DUE, PACE, now=self.shop.now, chance=0)
        renewal = Renewal(self.folder, who)
        line = Line(self.shop, renewal.token, self.faults, self.used)
        with closing(open_journal(self.folder)) as journal:
            pauses, clock = Pauses(self.folder), lambda: float(self.shop.now)
            talk = Talk(journal, pauses, renewal, line, PACE, clock, lambda: 0.5)
            try:
                self.x = talk.until_rest(self.x)
            except KilledError:
                self.x = Exchange()
        return self.x.state

    def back_up(self) -> None:
        """Copies the state folder."""
        shutil.rmtree(self._backup, ignore_errors=True)
        shutil.copytree(self.folder, self._backup)

    def restore(self) -> None:
        """Puts the copy in the folder's place."""
        if self._backup.is_dir():
            shutil.rmtree(self.folder)
            shutil.copytree(self._backup, self.folder)
            self.x = Exchange()

    @property
    def machine(self) -> str:
        """Its id."""
        who = identity.load(self.folder)
        assert who is not None
        return who.machine

    @property
    def token(self) -> str:
        """The one on disk."""
        who = identity.load(self.folder)
        assert who is not None
        return who.token

    @property
    def _backup(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}-backup")


def holds(shop: Shop, token: str) -> bool:
    """Whether a token opens anything."""
    with suppress(RequestRefused):
        return bool(asyncio.run(shop.intake.machine(token)))
    return False


STEPS = st.lists(
    st.one_of(
        st.lists(st.sampled_from(FAULTS), max_size=3).map(tuple),
        st.sampled_from(["converse", "converse", "month", "month", "back up", "restore", "look"]),
    ),
    max_size=14,
)


def test_no_order_of_crashes_losses_and_restores_leaves_a_laptop_outside(
    shop: Shop, tmp_path: Path
) -> None:
    """Once the line is good it is heard by its next check-in, and only its last token opens."""

    @given(STEPS)
    @settings(deadline=None, max_examples=40)
    def heard(steps: list[str | tuple[str, ...]]) -> None:
        laptop = Laptop(shop, tmp_path / secrets.token_hex(8))
        for number, step in enumerate(steps):
            if isinstance(step, tuple):
                laptop.faults = list(step)
            elif step == "month":
                shop.now += TOKEN_MAX_AGE_S
            elif step == "back up":
                laptop.back_up()
            elif step == "restore":
                laptop.restore()
            elif step == "look":
                laptop.look(number % 2)
            if isinstance(step, tuple) or step == "converse":
                laptop.converse()
        laptop.faults = []
        laptop.converse()
        # A back-off, an hour without a token and a renewal that is due may each take one more.
        for _ in range(3):
            assert laptop.converse() is State.REST
        view = asyncio.run(shop.intake.machine(laptop.token))
        assert view.last_seen == shop.now
        assert [each for each in laptop.used if holds(shop, each)] == [laptop.used[-1]]

    heard()


def test_the_old_token_holds_until_the_new_one_is_used(shop: Shop, tmp_path: Path) -> None:
    """Then it ends at once; and a check-in that changes nothing is as short as before."""
    laptop = Laptop(shop, tmp_path / "laptop")
    laptop.converse()
    old = laptop.token
    shop.now += TOKEN_MAX_AGE_S
    laptop.converse()
    new = laptop.token
    assert new != old
    assert holds(shop, old)
    assert holds(shop, new)
    laptop.converse()
    assert not holds(shop, old)
    assert shop.rows("SELECT key IS NOT NULL FROM presence") == [(1,)]
    laptop.converse()
    assert laptop.token == new


def test_a_token_that_was_only_seen_cannot_be_renewed(shop: Shop, tmp_path: Path) -> None:
    """It takes the key, which no other request shows."""
    laptop = Laptop(shop, tmp_path / "laptop")
    for key in ("0" * 32, "f" * 32):
        with pytest.raises(RequestRefused) as refused:
            asyncio.run(shop.intake.renew(laptop.token, Wish(1, key)))
        assert refused.value.status == 401
    assert shop.rows("SELECT next_token_hash FROM machines") == [(None,)]


def test_a_machine_that_left_gets_no_token(shop: Shop, tmp_path: Path) -> None:
    """Revoking is not undone by the key: the agent stops, and says what to do."""
    laptop = Laptop(shop, tmp_path / "laptop")
    laptop.converse()
    shop.write(lambda conn: fleet.leave(conn, laptop.machine, shop.now))
    assert laptop.converse() is State.UNENROLLED
    assert "--again" in laptop.x.advice


def test_the_first_token_is_not_said_again_after_its_turn(shop: Shop) -> None:
    """A repeated enrolment then gets the next one, so it is never answered with an ended one."""
    message = Enrolment(1, shop.secret, "anna", "0" * 32)
    first = asyncio.run(shop.intake.enrol(message))
    assert asyncio.run(shop.intake.enrol(message)) == first
    second = asyncio.run(shop.intake.renew(first.token, Wish(1, message.key)))
    check_in = CheckIn(1, "sha256:" + "0" * 64, "0.1.0", "0" * 16, 1, shop.now)
    asyncio.run(shop.intake.check_in(second.token, check_in))
    again = asyncio.run(shop.intake.enrol(message))
    assert again.machine == first.machine
    assert holds(shop, again.token)
    assert not holds(shop, first.token)


def test_the_copies_of_a_disk_end_as_two_machines(shop: Shop, tmp_path: Path) -> None:
    """They are noticed, also while they count in step; one enrols anew and the other stays."""
    laptop = Laptop(shop, tmp_path / "laptop")
    laptop.converse()
    laptop.back_up()
    twin = Laptop(shop, tmp_path / "twin")
    asyncio.run(shop.intake.leave(twin.token))
    shutil.rmtree(twin.folder)
    shutil.copytree(tmp_path / "laptop-backup", twin.folder)
    twin.look(1)
    for _ in range(4):
        for each in (laptop, twin):
            assert each.converse() is State.REST
    view = asyncio.run(shop.intake.machine(laptop.token))
    assert "cloned-identity" in [item.code for item in view.findings]
    asyncio.run(shop.intake.leave(twin.token))
    apart = Laptop(shop, tmp_path / "apart")
    for _ in range(3):
        for each in (laptop, apart):
            assert each.converse() is State.REST
    assert asyncio.run(shop.intake.machine(laptop.token)).standing == "match"
    assert shop.rows("SELECT count(*) FROM machines WHERE left_at IS NULL") == [(2,)]
