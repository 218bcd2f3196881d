"""How often a wrong enrolment secret is looked at: a bucket for each secret's id.

A secret's id is no secret, the rest of it is: so a guess is one that names the id of a secret
that was made. For each there are a few tries at once and then one every few seconds, over all
who try; which address they come from is not known behind a proxy. While a bucket is empty
nobody enrols with that secret, whoever holds it too: who knows its id can have that, so an
operator then makes another one. Secrets that nobody guesses at are not touched by it.

A wrong secret never reaches the writer, and one whose id names nothing is no guess: neither
keeps a check-in or another enrolment waiting. Kept in memory: a restart fills the buckets.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from server.enrolment import is_right, no_secret
from server.errors import RequestRefused
from server.tokens import secret_of

TRIES = 10
"""Most wrong secrets of one id at once."""

TRY_EVERY_S = 30
"""One more of them every so many seconds."""


@dataclass(frozen=True)
class _Bucket:
    left: float
    at: int

    def filled(self, now: int) -> float:
        """What is in it at `now`; a clock that was set back adds nothing."""
        return min(TRIES, self.left + max(0, now - self.at) / TRY_EVERY_S)


class SecretCheck:
    """Tells wrong secrets from right ones; used by one event loop.

    Args:
        engine: For reading.
        clock: Whole seconds since the epoch.
    """

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        self._engine = engine
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    async def check(self, secret: str) -> None:
        """Looks whether a secret is one that was made; whether it still holds is asked later.

        Raises:
            RequestRefused: 403 it is none; 429 too many wrong ones came in its name.
        """
        named = secret_of(secret)
        if named is None:
            raise no_secret()
        now = self._clock()
        bucket = self._buckets.get(named, _Bucket(TRIES, now))
        if bucket.filled(now) < 1:
            raise _too_many()
        is_right = await asyncio.to_thread(self._is_right, secret)
        if is_right:
            return
        if is_right is False:
            # Only of secrets that were made: so there are no more buckets than those.
            bucket = self._buckets.get(named, _Bucket(TRIES, now))
            self._buckets[named] = _Bucket(bucket.filled(now) - 1, now)
        raise no_secret()

    def _is_right(self, secret: str) -> bool | None:
        with self._engine.connect() as conn:
            return is_right(conn, secret)


def _too_many() -> RequestRefused:
    return RequestRefused(
        "too many wrong secrets came in the name of this one",
        advice="try again later, or ask the operator for another secret",
        status=429,
        retry_after_s=TRY_EVERY_S,
    )
