"""Profiles as bytes: which are taken, and from whom."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.digest import canonical, of_bytes
from agent.wire import PROFILE_MAX_BYTES
from server.errors import RequestRefused
from server.store import fleet
from server.store.timeline import timeline
from server.store.uploads import NEW_PROFILES_MAX, check
from tests.server.shop import BEHIND, DAY, HEAD, Laptop, Shop, digest_of, profile

MINE = profile(HEAD)
BODY = canonical(MINE)


def refused(body: bytes, digest: str | None = None) -> RequestRefused:
    """How bytes are refused."""
    with pytest.raises(RequestRefused) as refusal:
        check(digest or of_bytes(body), body)
    return refusal.value


def put(laptop: Laptop, body: bytes) -> None:
    """Sends bytes under their own digest."""
    asyncio.run(laptop.shop.intake.put_profile(laptop.token, of_bytes(body), body))


def test_canonical_bytes_of_a_profile_are_accepted() -> None:
    """As the agent makes them."""
    check(of_bytes(BODY), BODY)


def test_a_digest_of_other_bytes_is_refused() -> None:
    """409, before anything is parsed."""
    assert refused(b"not even JSON", digest_of(MINE)).status == 409


def test_too_large_a_body_is_refused() -> None:
    """413, before anything is digested."""
    assert refused(b" " * (PROFILE_MAX_BYTES + 1)).status == 413


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(json.loads(BODY)).encode(),
        BODY + b"\n",
        BODY.replace(b'"os":"linux"', b'"more_installs":0,"os":"linux"'),
        BODY.replace(b'{"arch"', b'{"arch":"x64","arch"'),
        BODY.replace(b"linux-x64", b"linux\\u002dx64"),
    ],
)
def test_a_profile_in_another_form_is_refused(body: bytes) -> None:
    """Spaces, order, a default written out, a name twice, an escape: one value, one form."""
    assert (refused(body).status, refused(body).path) == (422, None)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (BODY.replace(b'"os":"linux"', b'"os":7'), "$.os"),
        (BODY.replace(b'"a', b'"g', 1).replace(b'"size":381121040', b'"size":-1'), "$"),
        (BODY.replace(b'"size":381121040', b'"size":-1'), "$.installs[0].build.size"),
        (BODY.replace(b'"wire":1', b'"wire":2'), "$.wire"),
        (BODY.replace(b'{"arch"', b'{"account":"x","arch"'), "$"),
        (b"[]", "$"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(body: bytes, path: str) -> None:
    """Unknown fields too: a newer agent cannot quietly tell more."""
    assert (refused(body).status, refused(body).path) == (422, path)


@given(st.binary(max_size=300))
def test_any_bytes_are_taken_or_refused_and_nothing_else(body: bytes) -> None:
    """No other error leaves the check."""
    assert refused(body).status == 422


def test_a_number_without_a_canonical_form_is_refused() -> None:
    """Beyond 2**53 one number has several writings (RFC 8785 section 3.1)."""
    body = BODY.replace(
        b'"hash"',
        b'"overrides":[{"class":"behaviour","key":"k","kind":"setting","layer":"user",'
        b'"value":9007199254740993}],"hash"',
    )
    assert refused(body).status == 422


def test_only_what_was_wanted_is_accepted(shop: Shop) -> None:
    """403 for an upload out of nowhere, even of a known profile."""
    laptop, other = shop.enrol("anna"), shop.enrol("ben")
    for _ in range(2):
        with pytest.raises(RequestRefused) as refusal:
            put(laptop, BODY)
        assert refusal.value.status == 403
        other.tell(MINE)


def test_an_upload_sent_twice_is_accepted_twice(shop: Shop) -> None:
    """The second changes nothing: its first answer was lost."""
    laptop = shop.enrol("anna")
    laptop.send(laptop.message(MINE))
    put(laptop, BODY)
    before = shop.rows("SELECT * FROM assignments")
    put(laptop, BODY)
    assert shop.rows("SELECT * FROM assignments") == before


def test_an_earlier_profile_sent_twice_is_accepted_twice(shop: Shop) -> None:
    """Also when it is not the machine's present one."""
    laptop = shop.enrol("anna")
    laptop.send(laptop.message(profile(BEHIND)))
    laptop.send(laptop.message(MINE))
    laptop.upload(profile(BEHIND))
    laptop.upload(profile(BEHIND))
    assert laptop.view().profile is None


def test_a_machine_that_fell_silent_takes_its_profile_when_it_speaks(shop: Shop) -> None:
    """An upload alone is no check-in: the bytes are kept, the silence stays."""
    laptop = shop.enrol("anna")
    laptop.send(laptop.message(MINE))
    shop.now += 3 * DAY
    shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 10))
    put(laptop, BODY)
    assert shop.counted() == {"silent": 1}
    assert laptop.send(laptop.message(MINE)).state != "silent"
    told = shop.read(lambda conn: timeline(conn, laptop.id))
    assert [entry.standing for entry in told if entry.kind == "standing"] == ["silent", "unknown"]


def test_a_machine_may_send_a_few_new_profiles_an_hour(shop: Shop) -> None:
    """Then 429 with when to come again; known ones are not counted."""
    laptop = shop.enrol("anna")

    def numbered(number: int) -> bytes:
        return BODY.replace(b'"revision":1', b'"revision":%d' % (number + 2))

    def tell(number: int) -> None:
        laptop.send(laptop.message(of_bytes(numbered(number))))
        put(laptop, numbered(number))

    for number in range(NEW_PROFILES_MAX):
        tell(number)
        shop.now += 1
    with pytest.raises(RequestRefused) as refusal:
        tell(NEW_PROFILES_MAX)
    assert refusal.value.status == 429
    shop.now += refusal.value.retry_after_s or 0
    put(laptop, numbered(NEW_PROFILES_MAX))


def test_an_upload_is_refused_to_who_is_nobody(shop: Shop) -> None:
    """401, as everywhere."""
    laptop = shop.enrol("anna")
    laptop.token = laptop.token[:-4] + "0000"
    with pytest.raises(RequestRefused) as refusal:
        put(laptop, BODY)
    assert refusal.value.status == 401
