"""The replay that comes with the server, and what becomes of it without some entry."""

from pathlib import Path

from server.replay import scenario
from server.replay.scenario import Scenario

FILE = Path(scenario.__file__).with_name("spring-2026.toml")


def spring() -> Scenario:
    """The file as it is shipped."""
    return scenario.parse(FILE.read_bytes(), FILE.name)
