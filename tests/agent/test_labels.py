"""Names that are made where nobody typed one."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import labels
from agent.wire import Label


@pytest.mark.parametrize(
    ("owner", "system", "made"),
    [
        ("kim", "linux", "kim-linux-3fa2"),
        ("Kim Müller", "darwin", "Kim-Müller-mac-3fa2"),
        ("kim@example.com", "win32", "kim@example.com-windows-3fa2"),
        ("kim", "freebsd15", "kim-freebsd15-3fa2"),
        (None, "linux", "laptop-3fa2b1"),
        ("", "linux", "laptop-3fa2b1"),
        (" /// ", "linux", "laptop-3fa2b1"),
    ],
)
def test_a_name_is_of_the_owner_the_system_and_chance(
    owner: str | None, system: str, made: str
) -> None:
    """Without an owner there is more chance in it."""
    assert labels.made(owner, system, "3fa2b1") == made


@given(st.none() | st.text(), st.sampled_from(["linux", "darwin", "win32"]))
def test_whatever_the_owner_is_the_name_can_be_sent(owner: str | None, system: str) -> None:
    """One word, within the wire's limits."""
    made = labels.made(owner, system, "3fa2b1")
    assert msgspec.convert(made, Label) == made
    assert re.search(r"\s", made) is None


def test_a_secret_is_no_name() -> None:
    """Of any kind that a server gives, pasted with a space too."""
    for each in ("bpe_0123", "bpm_x", "bpo_x", "bpv_x", " bpe_0123"):
        assert labels.is_secret(each)
    for name in ("kim-linux-3fa2", "bpe", "a bpe_0123", "BPE_1"):
        assert not labels.is_secret(name)


def test_an_address_is_known_wherever_it_stands() -> None:
    """A handle is none."""
    assert labels.has_address("kim@example.com")
    assert labels.has_address("Kim Roe <kim.roe+x@mail.example.com>")
    for name in ("@kim", "kim@laptop", "kim", "kim @ example.com"):
        assert not labels.has_address(name)
