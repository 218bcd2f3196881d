"""All timers ring, a few at a time, whatever stops the server meanwhile."""

from sqlalchemy import select, update

from server.store import fleet, rings
from server.store.tables import machines, presence
from tests.server.shop import HEAD, NOW, Laptop, Shop, profile

LATER = NOW + 30


def enrolled(shop: Shop) -> list[Laptop]:
    """Five machines of the default group, by their ids."""
    laptops = [shop.enrol(f"laptop-{number}") for number in range(5)]
    for laptop in laptops:
        laptop.tell(profile(HEAD))
    return sorted(laptops, key=lambda each: each.id)


def rung(shop: Shop) -> list[str]:
    """The machines whose timers did, by their ids."""
    did = select(machines.c.id).where(machines.c.due_at == LATER)
    return shop.read(lambda conn: list(conn.execute(did).scalars()))


def step(shop: Shop) -> bool:
    """One transaction of two machines, half a minute later."""
    return shop.write(lambda conn: rings.ring(conn, LATER, 2))


def test_timers_ring_by_the_few_and_go_on_after_a_crash(shop: Shop) -> None:
    """How far that came is kept with it: who leads next has the rest to do, and no more."""
    laptops = enrolled(shop)
    assert not shop.read(rings.are_asked)
    shop.write(rings.ask)
    assert rung(shop) == []
    numbers = []
    while True:
        assert shop.read(rings.are_asked)
        left = step(shop)
        numbers.append(len(rung(shop)))
        assert sorted(rung(shop)) == [each.id for each in laptops[: numbers[-1]]]
        if not left:
            break
    assert numbers == [2, 4, 5]
    assert not shop.read(rings.are_asked)
    assert not step(shop)


def test_what_is_asked_meanwhile_begins_anew_for_all_that_were(shop: Shop) -> None:
    """Nobody is left out, whichever group was asked for last."""
    laptops = enrolled(shop)
    moved = laptops[0].id
    shop.write(lambda conn: fleet.move_to_group(conn, shop.current, moved, "pilots", shop.now))
    shop.write(lambda conn: rings.ask(conn, ["default"]))
    assert step(shop)
    assert rung(shop) == [laptops[1].id]
    shop.write(lambda conn: rings.ask(conn, ["pilots"]))
    while step(shop):
        pass
    assert sorted(rung(shop)) == [each.id for each in laptops]


def test_who_left_is_left_alone_and_nobody_spoke_later_than_now(shop: Shop) -> None:
    """A clock that was set back: whoever spoke by the other one spoke now at the latest."""
    laptops = enrolled(shop)
    shop.write(lambda conn: fleet.leave(conn, laptops[2].id, shop.now))
    ahead = update(presence).values(last_seen=LATER + 9_000)
    shop.write(lambda conn: conn.execute(ahead).close())
    shop.write(rings.ask)
    while step(shop):
        pass
    assert sorted(rung(shop)) == [each.id for each in laptops if each is not laptops[2]]
    assert set(shop.rows("SELECT last_seen FROM presence")) == {(LATER,)}


def test_a_server_without_machines_has_none_to_ring(shop: Shop) -> None:
    """Nothing stays to be done."""
    shop.write(rings.ask)
    assert not shop.read(rings.are_asked)
    assert not step(shop)
