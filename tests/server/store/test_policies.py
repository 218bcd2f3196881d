"""Every load is kept, and the latest that was taken is in force."""

import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.policy import GroupPolicy, Policies
from server.policy_file import FILE_MAX_BYTES, PolicyError, read
from server.policy_text import text_of
from server.store import policies
from server.store.policies import BUILT_IN, load_of
from tests.server.shop import Shop

STABLE = b'[default]\nchannel = "stable"\n'


def kept(shop: Shop) -> list[tuple[int, str | None]]:
    """When each load was, and why it was refused, newest first."""
    return [(each.at, each.error) for each in shop.read(lambda conn: policies.loads(conn, 9))]


def test_a_load_that_repeats_the_one_before_is_not_kept_again(shop: Shop) -> None:
    """A server that starts ten times loads one policy; another one between makes it two."""
    for load in (load_of(STABLE, "p", 1), load_of(STABLE, "p", 2)):
        shop.write(functools.partial(policies.record, load=load))
    shop.write(lambda conn: policies.record(conn, load_of(b"x", "p", 3, "p:1: no")))
    shop.write(lambda conn: policies.record(conn, load_of(STABLE, "p", 4)))
    assert kept(shop) == [(4, None), (3, "p:1: no"), (1, None)]


def test_what_was_refused_is_not_in_force(shop: Shop) -> None:
    """The one before it stays."""
    assert shop.read(policies.in_force) == Policies()
    shop.write(lambda conn: policies.record(conn, load_of(STABLE, "p", 1)))
    shop.write(lambda conn: policies.record(conn, load_of(b"x", "p", 2, "p:1: no")))
    assert shop.read(policies.in_force) == Policies(GroupPolicy(channel="stable"))
    shop.write(lambda conn: policies.record(conn, load_of(b"", BUILT_IN, 3)))
    assert shop.read(policies.in_force) == Policies()


def test_what_this_version_no_longer_takes_is_told(shop: Shop) -> None:
    """A database of an older server is not read as something else."""
    shop.write(lambda conn: policies.record(conn, load_of(b"[default]\nold = 1\n", "p", 1)))
    with pytest.raises(PolicyError, match=r"p:2: default.old: is not known here"):
        shop.read(policies.in_force)


@given(st.binary(max_size=60))
def test_any_bytes_can_be_kept_as_text(data: bytes) -> None:
    """Of a file that is no text, what can be shown of it."""
    load = load_of(data, "p", 1)
    assert "\0" not in load.body
    assert load_of(load.body.encode(), "p", 1).body == load.body


def test_no_more_is_kept_than_a_file_may_have() -> None:
    """Also of one that is refused for its size."""
    assert len(load_of(b"#" * (FILE_MAX_BYTES + 1), "p", 1).body) == FILE_MAX_BYTES


def test_what_is_kept_of_a_file_reads_as_the_file() -> None:
    """Also where it begins with a byte order mark, or ends its lines as Windows does."""
    data = b"\xef\xbb\xbf" + text_of(Policies()).replace("\n", "\r\n").encode()
    assert policies.stated(load_of(data, "p", 1)) == read(data, "p") == Policies()
