"""Block Kit: the recorded messages, its limits, and that no name can act in a channel."""

import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.wire import FindingView, FixRef
from server.alerts import block_kit, bodies
from server.alerts.block_kit import literal, render
from server.alerts.bodies import Incident
from server.alerts.messages import Fact, Message, Point, message
from server.alerts.planning import Parcel
from server.alerts.rows import Row
from server.transitions import Told, Transition

GOLDEN = Path(__file__).parents[2] / "golden" / "alerts" / "slack"
HOSTILE = "<!channel> @here <https://evil.example|anna> & *b* `c` <@U1> &lt;x&gt;\u202e"

Make = Callable[..., Transition]


def _row(change: Transition, told: Told) -> Row:
    """A row that holds a change."""
    return Row(1, "a topic", told, bodies.encode(bodies.changed(change, told)), created_at=0)


def _fleet(make: Make) -> Row:
    """500 machines with as many profiles, joined as the outbox does."""
    whole = None
    for number in range(500):
        finding = FindingView(
            code="build-behind",
            severity="drift",
            subject=f"npm global 2.1.{number}",
            sentence=f"the npm install 2.1.{number} is behind: latest is 2.1.600",
            since=make().at - 90_000,
            deadline=make().at - 3_600,
            fix=FixRef("install", "npm", "2.1.600"),
        )
        moved = make(kind="fleet", labels=(f"mac-{number}",), findings=(finding,))
        body = bodies.changed(moved, "drifted")
        whole = bodies.join(whole, body) if whole else body
    assert whole is not None
    return Row(1, "a topic", "drifted", bodies.encode(whole), created_at=0)


def _incident(text: str, *, over: bool) -> Row:
    """A row that holds an incident."""
    body = bodies.encode(Incident(text, 1_777_000_000, over=over))
    return Row(1, "a topic", "operator", body, created_at=0)


PARCELS: dict[str, Callable[[Make], Parcel]] = {
    "machine_drifted": lambda make: Parcel(_row(make(), "drifted")),
    "machine_healed": lambda make: Parcel(
        _row(make(before="drift", after="match", findings=()), "healed")
    ),
    "machine_unknown": lambda make: Parcel(
        _row(make(after="unknown", cause="not-examined", findings=()), "unknown")
    ),
    "machine_with_a_hostile_label": lambda make: Parcel(
        _row(make(labels=(HOSTILE,), findings=()), "drifted")
    ),
    "fleet_drifted": lambda make: Parcel(_fleet(make)),
    "fleet_healed": lambda make: Parcel(
        _row(make(kind="fleet", before="drift", after="match", machines=9, findings=()), "healed")
    ),
    "operator_began": lambda _: Parcel(
        _incident("The npm registry cannot be read since an hour: timed out.", over=False)
    ),
    "operator_ended": lambda _: Parcel(_incident("The npm registry is read again.", over=True)),
    "with_a_count": lambda make: Parcel(
        _row(make(), "drifted"),
        (_row(make(), "drifted"),) * 30 + (_row(make(), "healed"),) * 7,
    ),
    "only_counts": lambda make: Parcel(
        _row(make(), "drifted"), (_row(make(), "healed"),) * 3, in_full=False
    ),
}


@pytest.mark.parametrize("name", sorted(PARCELS))
def test_a_message_is_the_recorded_one(change: Make, name: str) -> None:
    """What Slack is sent is what was last looked at and recorded."""
    rendered = render(message(PARCELS[name](change)))
    recorded = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    assert {"text": rendered.text, "blocks": list(rendered.blocks)} == recorded


def test_every_recording_is_tested() -> None:
    """No recorded message is left over from a shape that no longer exists."""
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(PARCELS)


@pytest.mark.parametrize("name", sorted(PARCELS))
def test_a_recording_is_valid_block_kit(name: str) -> None:
    """The recorded messages are within Slack's limits."""
    recorded = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    _check(recorded["text"], recorded["blocks"])


texts = st.text(max_size=300) | st.text("<>&@!|*_~`:chanelhr ", max_size=4_000)
names = st.text(min_size=1, max_size=80)
instants = st.integers(0, 253_402_300_799)
points = st.builds(
    Point,
    sentence=texts,
    since=st.none() | instants,
    is_estimated=st.booleans(),
    deadline=st.none() | instants,
    is_late=st.booleans(),
    fix=st.none() | texts,
    is_command=st.booleans(),
)
messages = st.builds(
    Message,
    told=st.sampled_from(("drifted", None)),
    title=texts,
    lead=st.none() | texts,
    facts=st.lists(
        st.builds(Fact, names, texts) | st.builds(Fact, names, st.just(""), instants), max_size=6
    ).map(tuple),
    points=st.lists(points, max_size=20).map(tuple),
    note=st.none() | texts,
)


@given(messages)
def test_any_message_is_valid_block_kit(told: Message) -> None:
    """Whatever is told, Slack's limits hold and no text is empty."""
    rendered = render(told)
    _check(rendered.text, rendered.blocks)


@given(messages)
def test_nothing_typed_by_a_person_acts(told: Message) -> None:
    """The only special sequences are our own dates, and no word calls a channel."""
    rendered = render(told)
    for text in (rendered.text, *_texts(rendered.blocks)):
        bare = re.sub(r"<!date\^\d+\^\{date_short_pretty\} \{time\}\|[-\d: ]+UTC>", "", text)
        assert "<" not in bare
        assert ">" not in bare
        assert not re.search(r"&(?!amp;|lt;|gt;)", bare)
        assert not re.search("@(channel|here|everyone)", bare, re.IGNORECASE)


@given(messages)
def test_what_is_mark_up_is_not_parsed_further(told: Message) -> None:
    """Every mrkdwn text is verbatim, every plain one leaves emoji names alone."""
    for element in _objects(render(told).blocks):
        if element["type"] == "mrkdwn":
            assert element["verbatim"] is True
        else:
            assert element["emoji"] is False


@given(st.text(min_size=1, max_size=400), st.integers(12, 200))
def test_a_cut_text_keeps_its_escapes_whole(text: str, limit: int) -> None:
    """Cutting never splits an escape, and a short text is not cut."""
    shown = literal(text, limit)
    assert len(shown) <= limit
    assert not re.search(r"&(?!amp;|lt;|gt;)", shown)
    if not shown.endswith("…"):
        assert unescape(shown) == unescape(literal(text, 10_000))


def test_a_label_reads_as_it_was_typed() -> None:
    """Escapes are Slack's own and undone by it; mark-up characters stay as they are."""
    assert literal("R&D <lab> *one*", 80) == "R&amp;D &lt;lab&gt; *one*"


def test_a_blank_label_is_told_as_blank() -> None:
    """Slack refuses empty texts; a name of unseen characters is shown as that."""
    assert literal("\u200b\u2060 ", 80) == "(blank)"


def _objects(blocks: Any) -> Iterator[dict[str, Any]]:
    """All text objects of some blocks."""
    for block in blocks:
        yield from filter(None, (block.get("text"),))
        yield from block.get("fields", ())
        yield from block.get("elements", ())


def _texts(blocks: Any) -> Iterator[str]:
    """All texts of some blocks."""
    return (element["text"] for element in _objects(blocks))


def _check(text: str, blocks: Any) -> None:
    """Holds a message against the limits of Slack's Block Kit reference."""
    assert 0 < len(text) <= 3_000
    assert 0 < len(blocks) <= 50
    assert blocks[0]["type"] == "header"
    assert blocks[0]["text"]["type"] == "plain_text"
    assert len(blocks[0]["text"]["text"]) <= 150
    for block in blocks:
        assert block["type"] in {"header", "section", "context"}
        assert ("text" in block) or block.get("fields") or block.get("elements")
        assert len(block.get("fields", ())) <= 10
        assert len(block.get("elements", ())) <= 10
        assert all(0 < len(field["text"]) <= 2_000 for field in block.get("fields", ()))
    for element in _objects(blocks):
        assert element["type"] in {"plain_text", "mrkdwn"}
        assert 0 < len(element["text"]) <= 3_000


def test_our_limits_are_slacks() -> None:
    """The constants are those of the reference."""
    limits = (
        block_kit.HEADER_MAX_CHARS,
        block_kit.SECTION_MAX_CHARS,
        block_kit.FIELD_MAX_CHARS,
        block_kit.FIELDS_MAX,
        block_kit.BLOCKS_MAX,
    )
    assert limits == (150, 3_000, 2_000, 10, 50)
