"""A shop for the tests of the store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.shop import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A store without HTTP."""
    shop = Shop(tmp_path)
    yield shop
    shop.close()
