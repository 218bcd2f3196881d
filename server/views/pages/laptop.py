"""The page for the person whose laptop it is: what is read, sent and kept, and how to leave.

What is sent is told field by field out of the messages' own docstrings, so that the page can
neither lag behind the wire nor promise less than is sent. It tells nothing of the fleet:
anybody may read it, before enrolling too.
"""

import functools
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import get_args

import msgspec

from agent import wire
from agent.wire import CheckIn, Enrolment, Profile, Renewal, Sent
from server.alerts.messages import span
from server.retention import Keep
from server.views.pages.page import Page, render

MESSAGES: tuple[type[Sent], ...] = (Enrolment, CheckIn, Profile, Renewal)
"""All that leaves a laptop, in this order for the first time."""

_ATTRIBUTE = re.compile(r"    (\w+): (.*)")
_FACTS = re.compile(r" \(facts [0-9.]+\)")
_BOUND = re.compile(r"`([A-Z][A-Z_]+)`")


@dataclass(frozen=True)
class Here:
    """What this server does with what laptops send.

    Attributes:
        check_in_interval_s: Seconds between two check-ins of a machine, before spreading.
        keep: For how long what is kept.
        sends_alerts: Whether alerts go to Slack.
    """

    check_in_interval_s: int
    keep: Keep
    sends_alerts: bool


@dataclass(frozen=True)
class Field:
    """One field of what is sent.

    Attributes:
        name: As it stands in the message.
        says: What it holds.
    """

    name: str
    says: str


@dataclass(frozen=True)
class Part:
    """A message, or a value within one.

    Attributes:
        name: Of its type.
        says: What it is.
        fields: All that it has.
    """

    name: str
    says: str
    fields: tuple[Field, ...]

    @property
    def anchor(self) -> str:
        """Where a link to it points."""
        return f"sent-{self.name.lower()}"


@dataclass(frozen=True)
class Told:
    """A message with everything that stands in it.

    Attributes:
        message: The message itself.
        parts: What its fields hold, each once.
    """

    message: Part
    parts: tuple[Part, ...]


def page(here: Here) -> Page:
    """The whole page.

    Args:
        here: What this server does.
    """
    values = {
        "title": "What Build Parity knows of your laptop",
        "told": told(),
        "interval": span(here.check_in_interval_s),
        "sends_alerts": here.sends_alerts,
        "pause_max": span(wire.PAUSE_MAX_S),
        "kept": {each.name: _days(getattr(here.keep, each.name)) for each in fields(Keep)},
    }
    return render("laptop.html", values)


def _days(number: int) -> str | None:
    """So many days in words; None for ever."""
    return None if not number else "one day" if number == 1 else f"{number:,} days"


@functools.cache
def told() -> tuple[Told, ...]:
    """Everything that leaves a laptop, message by message."""
    return tuple(
        Told(_part(message), tuple(_part(each) for each in dict.fromkeys(_within(message))))
        for message in MESSAGES
    )


def _within(struct: type[Sent]) -> Iterator[type[Sent]]:
    for field in msgspec.structs.fields(struct):
        for inner in _structs(field.type):
            yield inner
            yield from _within(inner)


def _structs(annotation: object) -> Iterator[type[Sent]]:
    if isinstance(annotation, type) and issubclass(annotation, Sent):
        yield annotation
    for argument in get_args(annotation):
        yield from _structs(argument)


def _part(struct: type[Sent]) -> Part:
    lead, _, attributes = inspect.cleandoc(struct.__doc__ or "").partition("\nAttributes:\n")
    says = _attributes(attributes)
    return Part(
        struct.__name__,
        _plain(lead.partition("\n\n")[0]),
        tuple(
            Field(field.encode_name, _plain(says[field.name]))
            for field in msgspec.structs.fields(struct)
        ),
    )


def _attributes(text: str) -> dict[str, str]:
    """The ``Attributes:`` section of a docstring."""
    says: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if found := _ATTRIBUTE.fullmatch(line):
            name, says[found[1]] = found[1], found[2]
        elif line.strip():
            says[name] += f" {line.strip()}"
    return says


def _plain(text: str) -> str:
    """A docstring's words as a page shows them: one kind of code, numbers for bounds."""
    joined = _FACTS.sub("", " ".join(text.replace("``", "`").split()))
    return _BOUND.sub(lambda found: f"{getattr(wire, found[1]):,}", joined)
