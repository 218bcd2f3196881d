"""What is told of a machine that the operator has deleted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.wire import Build
from server.store import fleet
from tests.server.shop import Shop, profile

ALTERED = profile(Build("c" * 64, 1, "binary", "2.1.330", "linux-x64"))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A store without HTTP."""
    shop = Shop(tmp_path)
    yield shop
    shop.close()


def test_a_forgotten_machine_is_in_no_message(shop: Shop) -> None:
    """Neither one that was sent nor one that waits; of others all is told."""
    gone, stays = shop.enrol("anna"), shop.enrol("ben")
    gone.tell(ALTERED)
    stays.tell(ALTERED)
    assert shop.write(lambda conn: fleet.forget(conn, gone.id, shop.now))
    assert shop.rows("SELECT topic FROM outbox") == [(f"machine {stays.id}",)]
    assert "anna" not in str(shop.rows("SELECT body FROM outbox"))
