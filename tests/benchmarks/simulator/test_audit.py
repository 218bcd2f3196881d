"""Holds what the audit calls lost and doubled. That honest stores pass is in `test_machines`."""

from pathlib import Path

import pytest

from server.store.engine import open_engine
from tests.benchmarks import fleets
from tests.benchmarks.fleets import EPOCH
from tests.benchmarks.simulator import audit, scenario
from tests.benchmarks.simulator.audit import Findings, Kept
from tests.benchmarks.simulator.laptop import Claim
from tests.benchmarks.simulator.machines import Fleet
from tests.benchmarks.simulator.profiles import Profiles

OTHER = "f" * 16
PROFILE = "sha256:" + "1" * 64
CLAIM = Claim(EPOCH, 7, EPOCH, 8, None)


def kept(epoch: str = EPOCH, seq: int = 7, claimed: str = PROFILE, *past: str) -> Kept:
    """A machine's row."""
    return Kept(epoch, frozenset(past), seq, claimed)


@pytest.mark.parametrize(
    ("claim", "row", "fault"),
    [
        (CLAIM, kept(seq=7), None),
        (CLAIM, kept(seq=8), None),
        (CLAIM, kept(seq=6), "lost"),
        (CLAIM, kept(seq=9), "doubled"),
        (CLAIM, kept(OTHER), "doubled"),
        (Claim(EPOCH, 0, EPOCH, 2, None), kept(seq=1), None),
        (Claim(EPOCH, 7, OTHER, 1, None), kept(EPOCH, 8), None),
        (Claim(EPOCH, 7, OTHER, 1, None), kept(OTHER, 1, PROFILE, EPOCH), None),
        (Claim(EPOCH, 7, OTHER, 1, None), kept(OTHER, 1), "lost"),
        (Claim(EPOCH, 7, OTHER, 1, None), kept(OTHER, 2, PROFILE, EPOCH), "doubled"),
        (Claim(OTHER, 3, OTHER, 3, None), kept(EPOCH, 9), "lost"),
        (Claim(EPOCH, 7, EPOCH, 7, PROFILE), kept(seq=7), None),
        (Claim(EPOCH, 7, EPOCH, 7, PROFILE), kept(EPOCH, 7, "sha256:other"), "lost"),
    ],
)
def test_a_row_is_held_against_its_laptops_word(
    claim: Claim, row: Kept, fault: audit.Fault | None
) -> None:
    """Less than was acknowledged is lost; more than was ever said is doubled."""
    assert audit.judge(claim, row) == fault


@pytest.mark.parametrize(
    ("claim", "row", "fault"),
    [
        (CLAIM, kept(seq=99), None),
        (CLAIM, kept(OTHER, 1), None),
        (CLAIM, kept(seq=6), "lost"),
    ],
)
def test_a_copy_is_held_to_its_own_epoch_alone(
    claim: Claim, row: Kept, fault: audit.Fault | None
) -> None:
    """The other laptop may have said anything meanwhile."""
    assert audit.judge_copy(claim, row) == fault


@pytest.mark.parametrize(
    ("uses", "lost", "doubled"), [(9, 1, 0), (10, 0, 0), (12, 0, 0), (13, 0, 1)]
)
def test_sums_of_use_lie_between_what_was_acknowledged_and_what_was_told(
    uses: int, lost: int, doubled: int
) -> None:
    """Ten were acknowledged, and of two more nobody knows."""
    found = Findings(uses=uses, uses_acked=10, uses_uncertain=2)
    assert (found.lost, found.doubled) == (lost, doubled)


def test_a_profile_taken_twice_is_doubled() -> None:
    """A laptop takes the release once."""
    assert Findings(repeated_changes=3).doubled == 3


def test_a_database_is_held_against_all_laptops(tmp_path: Path) -> None:
    """One that has none of what was acknowledged after its seeding is told so, by machine."""
    made = fleets.make(tmp_path / "data", 5, 2)
    digests = [line.split()[1] for line in made.tokens.read_text(encoding="ascii").splitlines()]
    fleet = Fleet(5, (), Profiles(digests[:2], [""] * 2), scenario.pace(900), 0.0)
    fleet.enrol([0.0] * 5, 900)
    for laptop in fleet.laptops[:3]:
        laptop.seq = laptop.acked = fleets.SEQ + 1
    fleet.uses.acked = 4
    engine = open_engine(made.url)
    try:
        with engine.connect() as conn:
            found = audit.audit(conn, fleet)
    finally:
        engine.dispose()
    assert found.machines == 5
    assert found.lost == 3 + 4
    assert found.doubled == 0
    assert len(audit.told(found)["examples"]) == 3  # type: ignore[arg-type]
