"""What happens in a run, and when. Pure: a mix and a length in, moments out.

A mix says what a fleet is like and what befalls it. Its moments are parts of the run (0 is its
begin, 1 its end), so that one mix serves a run of ten seconds and one of an hour::

    0        0.3    0.4             0.7        0.9      1
    |---------|######|---------------|~~~~~~~~~~|-------|
              outage (stop or kill)  release    all have updated

Time is real, but it may be smaller: all of an agent's waits are in proportion to the interval
between check-ins (`pace`), as in the settings of both sides. What the server says in whole
seconds (a ``Retry-After`` of half a minute, at most a minute until a verdict settles) is not.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args

from agent.exchange import Pace

How = Literal["stop", "kill"]
Sharing = Literal["shared", "tenth", "distinct"]

SHARED = 1_000
"""How many profiles a fleet has that shares them."""

DAY_S = 86_400
"""The longest that anything here may take, in seconds."""

USUAL_INTERVAL_S = 900
"""The interval for which the waits in `Pace` are set, in seconds."""


MIXES = Path(__file__).with_name("mixes")
"""Mixes at hand, by name."""


class ScenarioError(Exception):
    """A mix or an option that cannot be used, with what would be."""


@dataclass(frozen=True)
class Outage:
    """A time in which the server does not run.

    Attributes:
        at: When it begins, as a part of the run.
        lasts: How long, as a part of the run.
        how: ``stop`` as an operator does it, ``kill`` as a power cut.
    """

    at: float
    lasts: float
    how: How = "stop"


@dataclass(frozen=True)
class Mix:
    """What a fleet is like, and what befalls it.

    Attributes:
        profiles: ``shared``: `SHARED` of them; ``tenth``: one for ten machines; ``distinct``:
            one for each.
        interval_s: Seconds between two check-ins of a machine, by the server.
        used: The share of check-ins that tell of use; the sums prove that each counted once.
        clones: The share of machines that exist twice, each from the same state.
        bad_per_s: Requests a second from clients that do everything wrong.
        slow: Connections that send a byte now and then.
        status_every_s: Seconds between two looks at the status; 0 takes none.
        outages: One after the other.
        release_at: When a release is published; 1, the end, for never.
        update_within: In which part of the run all laptops take the release.
    """

    profiles: Sharing = "shared"
    interval_s: int = USUAL_INTERVAL_S
    used: float = 0.2
    clones: float = 0.005
    bad_per_s: float = 5.0
    slow: int = 4
    status_every_s: float = 1.0
    outages: tuple[Outage, ...] = (Outage(0.3, 0.1, "kill"),)
    release_at: float = 0.7
    update_within: float = 0.2

    def __post_init__(self) -> None:
        """Checks that all goes together.

        Raises:
            ScenarioError: It does not.
        """
        _within("interval_s", self.interval_s, 1, DAY_S)
        for name in ("used", "clones", "update_within", "release_at"):
            _within(name, getattr(self, name), 0, 1)
        _within("bad_per_s", self.bad_per_s, 0, 1_000)
        _within("slow", self.slow, 0, 256)
        _within("status_every_s", self.status_every_s, 0, 3_600)
        if self.profiles not in get_args(Sharing):
            raise ScenarioError(f"profiles is {self.profiles!r}: one of {_list(Sharing)}")
        free_from = 0.0
        for each in self.outages:
            _within("an outage's at", each.at, free_from, 1)
            free_from = each.at + each.lasts
            _within("an outage's end", free_from, each.at, 1)
            if each.how not in get_args(How):
                raise ScenarioError(f"an outage's how is {each.how!r}: one of {_list(How)}")

    def profile_count(self, machines: int) -> int:
        """How many profiles a fleet of so many machines has."""
        wanted = {"shared": SHARED, "tenth": machines // 10, "distinct": machines}
        return max(1, min(machines, wanted[self.profiles]))


class What(Enum):
    """What is done to the server."""

    STOP = "stop"
    KILL = "kill"
    START = "start"
    RELEASE = "release"


@dataclass(frozen=True, order=True)
class Step:
    """One thing to be done.

    Attributes:
        at_s: When, in seconds from the begin of the run.
        what: The thing.
    """

    at_s: float
    what: What = field(compare=False)


def steps(mix: Mix, seconds: float) -> tuple[Step, ...]:
    """All that is done to the server in a run of so many seconds, in order."""
    found = []
    for each in mix.outages:
        found.append(Step(each.at * seconds, What(each.how)))
        found.append(Step((each.at + each.lasts) * seconds, What.START))
    if mix.release_at < 1:
        found.append(Step(mix.release_at * seconds, What.RELEASE))
    return tuple(sorted(found))


def updated(mix: Mix, machines: int, seconds: float, at_s: float) -> int:
    """How many laptops have taken the release at a moment of the run."""
    if mix.release_at == 1 or at_s < mix.release_at * seconds:
        return 0
    within_s = mix.update_within * seconds
    since_s = at_s - mix.release_at * seconds
    return machines if since_s >= within_s else int(machines * since_s / within_s)


def pace(interval_s: float) -> Pace:
    """The agent's pace, in proportion to the interval between check-ins."""
    usual, scale = Pace(), interval_s / USUAL_INTERVAL_S
    return Pace(**{each.name: getattr(usual, each.name) * scale for each in fields(usual)})


def read(text: str) -> Mix:
    """A mix from TOML; what it does not name is as in the default.

    Raises:
        ScenarioError: It is no TOML, or has a name or value that cannot be used.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"the mix is no TOML: {error}") from error
    told = table.pop("outages", None)
    mix: Mix = _made(Mix, table)
    return mix if told is None else replace(mix, outages=_outages(told))


def told(mix: Mix) -> Mapping[str, Any]:
    """A mix as plain values, for the report."""
    return asdict(mix)


def _outages(told: object) -> tuple[Outage, ...]:
    if not isinstance(told, list) or not all(isinstance(each, dict) for each in told):
        raise ScenarioError("outages is a list of tables with at, lasts and how")
    return tuple(_made(Outage, each) for each in told)


def _made(kind: type[Any], table: Mapping[str, Any]) -> Any:
    known = {each.name for each in fields(kind)}
    if unknown := sorted(set(table) - known):
        raise ScenarioError(f"{unknown[0]} is not of a mix; known are: {', '.join(sorted(known))}")
    try:
        return kind(**table)
    except TypeError as error:
        raise ScenarioError(f"the mix has a value of another kind: {error}") from error


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ScenarioError(f"{name} is {value}: from {low:g} to {high:g}")


def _list(kind: Any) -> str:
    return ", ".join(get_args(kind))
