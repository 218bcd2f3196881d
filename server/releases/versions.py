"""Version numbers, compared as numbers; and publish times, brought into their order. Pure."""

import functools
from collections.abc import Iterable

from packaging.version import InvalidVersion, Version


@functools.lru_cache(maxsize=8192)
def order(version: str) -> Version | None:
    """A version as something to compare; None if it is no version number."""
    try:
        return Version(version)
    except InvalidVersion:
        return None


def is_newer(version: str, than: str) -> bool:
    """Whether one version number is above another; False if either is no number."""
    left, right = order(version), order(than)
    return left is not None and right is not None and left > right


def monotone(
    dated: Iterable[tuple[str, int | None, int | None]],
) -> tuple[tuple[Version, int], ...]:
    """When each version was public, ascending, each time at most that of any later version.

    The registry stamps old versions with later times (facts 2.8). A version's build date
    bounds its time from below: it was not public before it was built.

    Args:
        dated: (version, published at, built at), in any order.
    """
    numbered = sorted(
        (
            (number, text, published_at, built_at)
            for text, published_at, built_at in dated
            if (number := order(text))
        ),
        key=lambda item: item[:2],
    )
    found: list[tuple[Version, int]] = []
    earliest: int | None = None
    for number, _, published_at, built_at in reversed(numbered):
        known = [at for at in (published_at, earliest) if at is not None]
        earliest = min(known, default=built_at)
        if earliest is not None:
            found.append((number, max(earliest, built_at or 0)))
    return tuple(reversed(found))


def next_after(version: str, dated: Iterable[tuple[Version, int]]) -> int | None:
    """When the next version after one was public.

    Args:
        version: Any.
        dated: As `monotone` gives it.
    """
    own = order(version)
    return None if own is None else next((at for number, at in dated if number > own), None)
