"""Clients that do everything wrong, and what a server has to answer to each.

They have no share in the fleet's figures: what matters is that they are refused as they should
be, that none of them is taken for a laptop, and that the others do not feel them.
"""

import asyncio
import contextlib
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from tests.benchmarks import fleets
from tests.benchmarks.simulator.driver import Way, Weather
from tests.benchmarks.simulator.link import Link, LinkError, written
from tests.benchmarks.simulator.machines import Request
from tests.benchmarks.simulator.measures import Measures

TOO_LARGE_BYTES = 262_144
"""Eight times what a check-in may have by the server's default."""

CLOSED = "closed"
"""The server ended the connection instead of an answer."""

DRIBBLE_EVERY_S = 0.5
"""How often a slow client sends a byte, in seconds."""

SLOW_MAX_S = 60.0
"""After so many seconds a slow client should have been sent away: both limits are below."""

_CHECK_INS = "/v1/check-ins"


@dataclass(frozen=True)
class Bad:
    """One way of being wrong.

    Attributes:
        data: All that is sent.
        right: What may come of it: HTTP statuses, or `CLOSED`.
    """

    data: bytes
    right: frozenset[str]


def kinds(host: str, token: str, random: Random) -> Mapping[str, Bad]:
    """All ways of being wrong, each time with other bytes. Pure but for the chances.

    Args:
        host: As in the ``Host`` head.
        token: Of an enrolled machine, which none of them may move.
        random: The chances.
    """
    nobody = fleets.token_of(f"{random.getrandbits(64):016x}")
    noise = random.randbytes(200)
    said = b'{"agent":"0.1.0","clock":1,"epoch":"0123456789abcdef","profile":"sha256:%s","seq":2}'
    whole = said[:-1] % (b"0" * 64) + b',"wire":1}'
    return {
        "garbage": Bad(_post(noise, token, host), _right("400", "422")),
        "not JSON": Bad(_post(b"{" * 500, token, host), _right("400", "422")),
        "unknown field": Bad(_post(whole[:-1] + b',"x":1}', token, host), _right("400", "422")),
        "other wire": Bad(_post(whole[:-2] + b"9}", token, host), _right("422")),
        "nobody's token": Bad(_post(whole, nobody, host), _right("401")),
        "no token": Bad(_post(whole, "", host), _right("401")),
        "too large": Bad(_post(b" " * TOO_LARGE_BYTES, token, host), _right("413", CLOSED)),
        "nowhere": Bad(written(Request("GET", "/v1/none"), token, host), _right("404")),
        "not HTTP": Bad(noise + b"\r\n\r\n", _right("400", CLOSED)),
        "unasked profile": Bad(
            written(Request("PUT", "/v1/profiles/sha256:" + "0" * 64, noise), token, host),
            _right("400", "403", "409", "422"),
        ),
    }


class BadClients:
    """Sends all of them in turn until it is cancelled.

    Args:
        way: To the server.
        weather: As whoever stops the server tells it.
        measures: Counts.
        random: The chances.
    """

    def __init__(self, way: Way, weather: Weather, measures: Measures, random: Random) -> None:
        self._way = way
        self._weather = weather
        self._measures = measures
        self._random = random

    async def hurry(self, per_s: float, token: str) -> None:
        """So many requests a second, each on a connection of its own."""
        while per_s:
            for kind, bad in kinds(self._way.host, token, self._random).items():
                await asyncio.sleep(1 / per_s)
                if not self._weather.is_down:
                    await self._one(kind, bad)

    async def dribble(self, number: int) -> None:
        """One slow client after another: a head, or a body, that does not end."""
        head = b"POST /v1/check-ins HTTP/1.1\r\nHost: x\r\n"
        whole = head + b"Content-Type: application/json\r\nContent-Length: 30000\r\n"
        token = fleets.token_of("0" * 16).encode()
        body = whole + b"Authorization: Bearer " + token + b"\r\n\r\n"
        kind, begin = (("slow head", head), ("slow body", body))[number % 2]
        while True:
            outages = self._weather.outages
            came_of_it = await self._slow(begin)
            if self._weather.was_fair_since(outages):
                self._note(kind, came_of_it, frozenset({CLOSED}))
            await asyncio.sleep(DRIBBLE_EVERY_S)

    async def _one(self, kind: str, bad: Bad) -> None:
        outages = self._weather.outages
        with self._way.link() as link:
            came_of_it = await _answer(link, bad.data)
        if self._weather.was_fair_since(outages):
            self._note(kind, came_of_it, bad.right)

    def _note(self, kind: str, came_of_it: str, right: frozenset[str]) -> None:
        self._measures.bad[kind, came_of_it] += 1
        if came_of_it not in right:
            self._measures.misjudged[f"{kind}: {came_of_it}"] += 1

    async def _slow(self, begin: bytes) -> str:
        loop = asyncio.get_running_loop()
        host, _, port = self._way.host.rpartition(":")
        with contextlib.closing(socket.socket()) as opened:
            opened.setblocking(False)  # noqa: FBT003 - the standard library's own signature
            try:
                async with asyncio.timeout(SLOW_MAX_S):
                    await loop.sock_connect(opened, (host, int(port)))
                    await _dribbled(loop, opened, begin)
            except TimeoutError:
                return "still served"
            except OSError:
                return CLOSED
        return CLOSED


def _post(body: bytes, token: str, host: str) -> bytes:
    return written(Request("POST", "/v1/check-ins", body), token, host)


def _right(*what: str) -> frozenset[str]:
    return frozenset(what)


async def _answer(link: Link, data: bytes) -> str:
    try:
        return str((await link.ask(data)).status)
    except LinkError as error:
        # A server that has read enough answers and closes; what is still sent then is reset.
        return CLOSED if str(error) in {"closed", "reset"} else str(error)


async def _dribbled(loop: asyncio.AbstractEventLoop, opened: socket.socket, begin: bytes) -> None:
    """Sends on until the server has said something or closed: either ends a slow client."""
    await loop.sock_sendall(opened, begin)
    heard = asyncio.ensure_future(loop.sock_recv(opened, 4096))
    try:
        while not heard.done():
            await asyncio.wait([heard], timeout=DRIBBLE_EVERY_S)
            if not heard.done():
                await loop.sock_sendall(opened, b"x")
        heard.result()
    finally:
        heard.cancel()
