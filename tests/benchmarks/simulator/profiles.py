"""What a fleet's laptops run, before and after the release: as digests, packed.

A million profiles of their own are too many to keep: 32 bytes of each are, and its body is made
again where a server wants it.
"""

from collections.abc import Iterable

from agent import digest
from tests.benchmarks import fleets

_DIGEST_BYTES = 32


class Profiles:
    """The profiles of a fleet, by number.

    Args:
        digests: Of those before the release, by number.
        tags: Of the verdicts on these.
    """

    def __init__(self, digests: Iterable[str], tags: Iterable[str]) -> None:
        self._before = b"".join(bytes.fromhex(each.removeprefix(digest.PREFIX)) for each in digests)
        self._after = bytearray(len(self._before))
        shared: dict[str, str] = {}
        self._tags = [shared.setdefault(each, each) for each in tags]

    def __len__(self) -> int:
        return len(self._tags)

    def tag(self, number: int) -> str:
        """What the server says of a profile before the release."""
        return self._tags[number]

    def body(self, number: int, *, is_new: bool) -> bytes:
        """A profile's canonical bytes."""
        build = fleets.NEXT if is_new else fleets.HEAD
        return digest.canonical(fleets.profile(number, build))

    def digest(self, number: int, *, is_new: bool) -> str:
        """A profile's digest."""
        place = slice(number * _DIGEST_BYTES, (number + 1) * _DIGEST_BYTES)
        if not is_new:
            return digest.PREFIX + self._before[place].hex()
        if not any(self._after[place]):
            name = digest.of_bytes(self.body(number, is_new=True))
            self._after[place] = bytes.fromhex(name.removeprefix(digest.PREFIX))
        return digest.PREFIX + self._after[place].hex()
