"""A message as Slack's Block Kit: header, facts in two columns, one section a point. Pure.

Nothing that a person typed or a laptop reported can act in a channel. All of it stands in
``plain_text``, where no mark-up is read; ``&``, ``<`` and ``>`` are escaped, since Slack
decodes them in every text; the words that would call a whole channel are broken. What is
``mrkdwn`` is written here, and ``verbatim``: nothing in it is turned into a link.

Limits and escapes: Slack's reference, "Block Kit: blocks, text object" and "Formatting
message text" (docs.slack.dev/reference/block-kit, docs.slack.dev/messaging).
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from server.alerts.messages import Fact, Message, Point

HEADER_MAX_CHARS = 150
SECTION_MAX_CHARS = 3_000
FIELD_MAX_CHARS = 2_000
FIELDS_MAX = 10
BLOCKS_MAX = 50

_CALLS = re.compile(r"@(?=channel|here|everyone|group)", re.IGNORECASE)
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


@dataclass(frozen=True)
class Rendered:
    """What is posted.

    Attributes:
        text: For notifications and for clients without blocks.
        blocks: As JSON values.
    """

    text: str
    blocks: tuple[dict[str, Any], ...]


def render(message: Message) -> Rendered:
    """A message as text and blocks, within all limits of Block Kit."""
    blocks: list[Block] = [HeaderBlock(text=_plain(message.title, HEADER_MAX_CHARS))]
    if message.lead:
        blocks.append(SectionBlock(text=_plain(message.lead, SECTION_MAX_CHARS)))
    if message.facts:
        blocks.append(_facts(message.facts))
    for point in message.points:
        blocks.extend(_point(point))
    if message.note:
        blocks.append(ContextBlock(elements=[_plain(message.note, FIELD_MAX_CHARS)]))
    return Rendered(
        text=_fallback(message), blocks=tuple(block.to_dict() for block in blocks[:BLOCKS_MAX])
    )


def literal(text: str, limit: int) -> str:
    """Text that Slack shows as it is, and that does nothing, in at most `limit` characters.

    Args:
        text: Anything, from anybody.
        limit: Most characters of the result, at least 12; a longer text ends in an ellipsis.
    """
    seen = "".join(" " if unicodedata.category(char) in _UNSEEN else char for char in text)
    # A zero-width space: it reads the same, and calls nobody.
    harmless = _CALLS.sub("@\u200b", seen).strip() or "(blank)"
    shown = "".join(_ESCAPES.get(char, char) for char in harmless)
    if len(shown) <= limit:
        return shown
    # Never in the middle of an escape.
    return re.sub(r"&[a-z]{0,3}\Z", "", shown[: limit - 1]) + "…"


def _facts(facts: tuple[Fact, ...]) -> SectionBlock:
    fields: list[PlainTextObject | MarkdownTextObject] = []
    for fact in facts[: FIELDS_MAX // 2]:
        fields.append(_marked(f"*{literal(fact.name, HEADER_MAX_CHARS)}*"))
        value = _plain(fact.text, FIELD_MAX_CHARS) if fact.at is None else _marked(_date(fact.at))
        fields.append(value)
    return SectionBlock(fields=fields)


def _point(point: Point) -> list[Block]:
    blocks: list[Block] = [SectionBlock(text=_plain(point.sentence, SECTION_MAX_CHARS))]
    if dates := _dates(point):
        blocks.append(ContextBlock(elements=[_marked(dates)]))
    if point.fix:
        fix = literal(point.fix, SECTION_MAX_CHARS - 20)
        text = f"Fix: `{fix}`" if point.is_command else f"Fix: {fix}"
        blocks.append(SectionBlock(text=_marked(text)))
    return blocks


def _dates(point: Point) -> str:
    told = []
    if point.since is not None:
        told.append(f"since {'about ' if point.is_estimated else ''}{_date(point.since)}")
    if point.deadline is not None:
        told.append(f"grace {'ended' if point.is_late else 'ends'} {_date(point.deadline)}")
    return ", ".join(told)


def _date(at: int) -> str:
    # Slack shows it in each reader's own time zone.
    spelled = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{at}^{{date_short_pretty}} {{time}}|{spelled}>"


def _fallback(message: Message) -> str:
    parts = [message.title, *(point.sentence for point in message.points[:1])]
    if message.lead and not message.points:
        parts.append(message.lead)
    return literal(": ".join(parts), SECTION_MAX_CHARS)


def _plain(text: str, limit: int) -> PlainTextObject:
    return PlainTextObject(text=literal(text, limit), emoji=False)


def _marked(text: str) -> MarkdownTextObject:
    return MarkdownTextObject(text=text, verbatim=True)
