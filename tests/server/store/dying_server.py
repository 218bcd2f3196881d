"""A process that takes check-ins and tells each acknowledged one, until it is killed."""

import asyncio
import sys

from agent.wire import CheckIn
from tests.server.shop import HEAD, Laptop, Shop, profile

LAPTOPS = 8


async def speak(laptop: Laptop, first: CheckIn) -> None:
    """Checks in again and again; a line for each acknowledgement."""
    message = first
    while True:
        await laptop.shop.intake.check_in(laptop.token, message)
        sys.stdout.write(f"acknowledged {laptop.id} {message.seq}\n")
        sys.stdout.flush()
        message = laptop.message(message.profile)


async def all_speak(laptops: list[Laptop]) -> None:
    """Every laptop at once, so that they share commits."""
    told = profile(HEAD)
    await asyncio.gather(*(speak(laptop, laptop.message(told)) for laptop in laptops))


shop = Shop(sys.argv[1])
enrolled = [shop.enrol(f"laptop-{number}") for number in range(LAPTOPS)]
for each in enrolled:
    each.tell(profile(HEAD))
asyncio.run(all_speak(enrolled))
