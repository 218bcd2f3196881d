"""Release keys: fetched once, kept, and checked by pin each time."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from werkzeug import Response

from server.releases.pinned_keys import NoKeyError, PinnedKeys
from server.releases.sources.interface import ForgedError, Memory
from tests.server.releases.repository import signer

if TYPE_CHECKING:
    from tests.server.releases.repository import Repository

RSA = "/keys/claude-code.rsa.pub"
GPG = "/keys/claude-code.asc"


def _keys(repository: "Repository", keep: Memory) -> PinnedKeys:
    return PinnedKeys(repository.fetcher(), keep, signer().pins)


def test_keys_lie_at_the_root_of_the_host_and_are_fetched_once(repository: "Repository") -> None:
    """Also by the next start of the server, which finds them kept."""
    keep = Memory()
    first = (_keys(repository, keep).rsa(), _keys(repository, keep).gpg())
    assert (_keys(repository, keep).rsa(), _keys(repository, keep).gpg()) == first
    assert repository.asked == [RSA, GPG]


def test_many_who_ask_at_once_fetch_once(repository: "Repository") -> None:
    """The first reading asks for several releases at a time."""
    keys = _keys(repository, Memory())
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: keys.rsa(), range(16)))) == 1
    assert repository.asked == [RSA]


def test_a_kept_key_is_held_against_the_pin_again(repository: "Repository") -> None:
    """Another one in the database does not count: the key is fetched anew."""
    keep = Memory()
    right = (_keys(repository, keep).rsa(), _keys(repository, keep).gpg())
    for name, planted in (
        ("claude-code.rsa.pub", signer("other").rsa_file),
        ("claude-code.asc", signer("other").gpg_file),
    ):
        keep.put(name, planted)
    assert (_keys(repository, keep).rsa(), _keys(repository, keep).gpg()) == right
    assert (repository.count(RSA), repository.count(GPG)) == (2, 2)


def test_another_key_is_forged_and_not_kept(repository: "Repository") -> None:
    """An alarm now, and another one the next time."""
    repository.show_keys(signer("other"))
    keep = Memory()
    for _ in range(2):
        with pytest.raises(ForgedError):
            _keys(repository, keep).rsa()
        with pytest.raises(ForgedError):
            _keys(repository, keep).gpg()
    assert repository.count(RSA) == 2


@pytest.mark.parametrize(
    "answer",
    [
        Response(status=404),
        Response(status=503),
        Response("<html>sign in</html>", content_type="text/html"),
        Response(b"sign in"),
        Response(b"x" * 70_000),
        Response(status=302, headers={"Location": "https://10.0.0.1/keys/claude-code.asc"}),
    ],
)
def test_a_key_that_cannot_be_had_says_why(repository: "Repository", answer: Response) -> None:
    """It is no forgery, and nothing is kept."""
    for path in (RSA, GPG):
        repository.answer(path, lambda _: answer)
    keys = _keys(repository, Memory())
    for get in (keys.rsa, keys.gpg):
        with pytest.raises(NoKeyError, match="cannot be had") as told:
            get()
        assert told.value.advice
