"""Holds that a simulated laptop keeps a journal's duties, whatever becomes of its requests."""

import tracemalloc
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import digest
from agent.exchange import Answered
from agent.exchange_table import Outcome, State
from agent.wire import Ack, CheckIn
from tests.benchmarks import fleets
from tests.benchmarks.simulator import audit, scenario
from tests.benchmarks.simulator.audit import Findings, Kept
from tests.benchmarks.simulator.machines import SENDING, Fleet
from tests.benchmarks.simulator.profiles import Profiles

TAG = "0123456789abcdef"
FAILURES = (Outcome.UNREACHED, Outcome.BUSY, Outcome.UNREADABLE, Outcome.TOO_LARGE)


def fleet_of(machines: int, *clones: int, used: float = 0.5) -> Fleet:
    """Laptops with a profile each, due at once."""
    bodies = [digest.canonical(fleets.profile(number)) for number in range(machines)]
    profiles = Profiles(map(digest.of_bytes, bodies), [TAG] * machines)
    fleet = Fleet(machines, clones, profiles, scenario.pace(900), used)
    fleet.enrol([0.0] * len(fleet), 900)
    return fleet


class Store:
    """What a server would keep of one machine: it takes what is new and answers the rest."""

    def __init__(self) -> None:
        self.kept = Kept(fleets.EPOCH, frozenset(), fleets.SEQ, "")
        self.uses = 0

    def take(self, body: bytes) -> Ack:
        """Takes a check-in as the protocol has it."""
        said, kept = msgspec.json.decode(body, type=CheckIn), self.kept
        if said.epoch in kept.past_epochs or (said.epoch == kept.epoch and said.seq < kept.seq):
            return Ack("match", TAG, 900, resync=True)
        if (said.epoch, said.seq) != (kept.epoch, kept.seq):
            past = kept.past_epochs | ({kept.epoch} - {said.epoch})
            self.kept = Kept(said.epoch, past, said.seq, said.profile)
            self.uses += sum(each.starts for each in said.activity)
        return Ack("match", TAG, 900)

    def has(self, body: bytes) -> bool:
        """Whether it took a check-in already: then it does not refuse to read it."""
        said = msgspec.json.decode(body, type=CheckIn)
        return (said.epoch, said.seq) == (self.kept.epoch, self.kept.seq)


def speak(fleet: Fleet, store: Store, fates: list[int], random: Random, now: float) -> None:
    """One conversation of the only laptop, in which each request has a fate."""
    fleet.due(0, fleet.laptops[0].x.at, now, random.random())
    for fate in fates:
        if fleet.laptops[0].x.state not in SENDING:
            return
        request = fleet.request(0, now, random.random())
        answer = Answered(Outcome.DONE, tag=TAG)
        if request is not None and request.path == "/v1/check-ins":
            is_lost = fate >= len(FAILURES)
            if fate and not is_lost and not (fate > 1 and store.has(request.body or b"")):
                answer = Answered(FAILURES[fate])
            else:
                ack = store.take(request.body or b"")
                outcome = Outcome.RESYNC if ack.resync else Outcome.DONE
                answer = Answered(Outcome.UNREACHED) if is_lost else Answered(outcome, ack=ack)
        fleet.hear(0, answer, now, random.random())


@given(
    fates=st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=6), max_size=30),
    seed=st.integers(0, 1_000),
    updates_at=st.integers(0, 30),
)
@settings(deadline=None)
def test_nothing_that_was_acknowledged_is_lost_or_counted_twice(
    fates: list[list[int]], seed: int, updates_at: int
) -> None:
    """Answers that are lost, refusals, a full server: an honest store passes the audit."""
    fleet, store, random = fleet_of(1), Store(), Random(seed)  # noqa: S311 - chances, no secrets
    for number, each in enumerate(fates):
        if number == updates_at:
            fleet.update(0, number * 4_000.0, 0.5)
        speak(fleet, store, each, random, number * 4_000.0)
    fleet.give_up()
    found = Findings(uses_acked=fleet.uses.acked, uses_uncertain=fleet.uses.uncertain)
    found.uses = store.uses
    audit.compare(fleet, [(0, store.kept)], found)
    assert (found.lost, found.doubled) == (0, 0), found


def test_a_check_in_without_an_answer_is_sent_again_byte_for_byte() -> None:
    """Also with another time and another chance."""
    fleet = fleet_of(1)
    fleet.due(0, 0.0, 1.0, 0.5)
    first = fleet.request(0, 1.0, 0.0)
    fleet.hear(0, Answered(Outcome.UNREACHED), 1.0, 0.5)
    assert fleet.laptops[0].x.state is State.BACK_OFF
    assert fleet.due(0, fleet.laptops[0].x.at, 99.0, 0.5)
    second = fleet.request(0, 99.0, 0.9)
    assert first is not None
    assert second is not None
    assert second.body == first.body
    assert (first.is_repeat, second.is_repeat) == (False, True)


def test_a_timer_of_a_wait_that_is_over_wakes_nobody() -> None:
    """A laptop has one wait at a time."""
    fleet = fleet_of(1)
    assert not fleet.due(0, 5.0, 5.0, 0.5)
    assert fleet.due(0, 0.0, 1.0, 0.5)
    assert not fleet.due(0, 0.0, 1.0, 0.5)


def test_a_laptop_that_takes_the_release_says_so_at_once() -> None:
    """Its next check-in names another profile, whose bytes it can send."""
    fleet = fleet_of(2)
    before = fleet.laptops[1].x
    assert fleet.update(1, 1.0, 0.5)
    assert before.state is State.REST
    request = fleet.request(1, 1.0, 0.9)
    assert request is not None
    named = msgspec.json.decode(request.body or b"", type=CheckIn).profile
    wanted = Ack("match", TAG, 900, wanted=(named,))
    fleet.hear(1, Answered(Outcome.DONE, ack=wanted), 1.0, 0.5)
    upload = fleet.request(1, 1.0, 0.9)
    assert upload is not None
    assert upload.path == f"/v1/profiles/{named}"
    assert digest.of_bytes(upload.body or b"") == named


def test_a_profile_of_somebody_else_is_not_sent() -> None:
    """A server that asks for one is refused, as by an agent that does not have it."""
    fleet = fleet_of(1)
    fleet.due(0, 0.0, 1.0, 0.5)
    fleet.request(0, 1.0, 0.9)
    wanted = Ack("match", TAG, 900, wanted=("sha256:" + "9" * 64,))
    fleet.hear(0, Answered(Outcome.DONE, ack=wanted), 1.0, 0.5)
    assert fleet.laptops[0].x.state is State.UPLOAD
    assert fleet.request(0, 1.0, 0.9) is None


def test_a_copy_has_the_identity_of_its_original() -> None:
    """It speaks with the same token, and tells of no use that would be counted once for both."""
    fleet = fleet_of(3, 1, used=1.0)
    assert len(fleet) == 4
    assert fleet.token(3) == fleet.token(1) != fleet.token(0)
    for index in range(4):
        fleet.due(index, 0.0, 1.0, 0.5)
    told = [fleet.request(index, 1.0, 0.0) for index in range(4)]
    bodies = [msgspec.json.decode(each.body or b"", type=CheckIn) for each in told if each]
    assert [len(each.activity) for each in bodies] == [1, 0, 1, 0]


def test_use_is_told_again_in_a_new_epoch_and_no_more_is_sure() -> None:
    """What was given up may have arrived: the audit allows for it."""
    fleet = fleet_of(1, used=1.0)
    fleet.due(0, 0.0, 1.0, 0.5)
    first = fleet.request(0, 1.0, 0.0)
    fleet.hear(0, Answered(Outcome.UNREADABLE), 1.0, 0.5)
    fleet.due(0, fleet.laptops[0].x.at, 9.0, 0.5)
    second = fleet.request(0, 9.0, 0.0)
    assert first is not None
    assert second is not None
    said = [msgspec.json.decode(each.body or b"", type=CheckIn) for each in (first, second)]
    assert said[0].epoch != said[1].epoch
    assert [each.activity[0].starts for each in said] == [1, 2]
    assert (fleet.uses.acked, fleet.uses.uncertain) == (0, 1)


def test_a_million_laptops_fit_into_one_process() -> None:
    """Each takes less than a thousandth of a MiB, even with a check-in that has no answer."""
    fleet = fleet_of(1)
    fleet.machines = many = 2_000
    fleet.laptops.clear()
    tracemalloc.start()
    fleet.enrol([float(number) for number in range(many)], 900)
    for index in range(many):
        fleet.due(index, fleet.laptops[index].x.at, 9_999.5, 0.5)
        fleet.request(index, 9_999.5, 0.0)
        fleet.hear(index, Answered(Outcome.UNREACHED), 9_999.5, index / many)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / many < 1_000
