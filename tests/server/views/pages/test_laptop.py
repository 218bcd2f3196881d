"""The page for whose laptop it is: it tells all that is sent, and no command that is not there."""

import itertools
import re

import msgspec
import pytest
import requests
from click import Command, Context, Group

from agent import wire
from agent.cli import cli as agent_cli
from agent.wire import Sent
from server.cli import cli as server_cli
from server.retention import Keep
from server.views.pages import laptop
from server.views.pages.laptop import MESSAGES, Here
from tests.server.conftest import Known
from tests.server.live import PATIENCE_S
from tests.server.views.pages.reading import Read, read


def shown(*, sends_alerts: bool = True, interval_s: int = 900, keep: Keep | None = None) -> Read:
    """The page of a server."""
    return read(laptop.page(Here(interval_s, keep or Keep(), sends_alerts)).html)


PAGE = shown()
HTML = laptop.page(Here(900, Keep(), sends_alerts=True)).html
SENT = Sent.__subclasses__()


@pytest.mark.parametrize("struct", SENT, ids=lambda struct: struct.__name__)
def test_every_field_of_all_that_is_sent_is_told(struct: type[Sent]) -> None:
    """By the name that it has in the message, with what it holds."""
    (part,) = {
        part
        for told in laptop.told()
        for part in (told.message, *told.parts)
        if part.name == struct.__name__
    }
    fields = msgspec.structs.fields(struct)
    assert [each.name for each in part.fields] == [field.encode_name for field in fields]
    for each in part.fields:
        assert each.says
        assert f"<dt><code>{each.name}</code></dt>" in HTML
        assert each.says.replace("`", "") in PAGE.texts["dd"]


def test_bounds_are_told_as_numbers() -> None:
    """A reader has no source at hand."""
    (installs,) = [
        field.says
        for told in laptop.told()
        for field in told.message.fields
        if field.name == "installs"
    ]
    assert f"at most {wire.INSTALLS_MAX}: counted ones first" in installs
    assert "facts" not in PAGE.texts["dd"].split()
    assert not re.search(r"\b[A-Z]{3,}_[A-Z]", PAGE.texts["main"])


def test_the_messages_are_all_that_an_agent_puts_or_posts() -> None:
    """Whatever is sent is one of them, or stands within one."""
    within = {each.name for told in laptop.told() for each in told.parts}
    assert {each.__name__ for each in SENT} == {each.__name__ for each in MESSAGES} | within


def test_every_command_on_it_exists() -> None:
    """With its options: what a reader types works."""
    typed = re.findall(r"<code>(parity-(?:agent|server)) ([^<]+)</code>", HTML)
    assert {words.split()[0] for _, words in typed} >= {"show", "status", "pause", "uninstall"}
    for program, words in typed:
        command: Command | None = agent_cli if program == "parity-agent" else server_cli
        for word in words.split():
            assert command is not None, words
            if isinstance(command, Group):
                command = command.get_command(Context(command), word)
            elif word.startswith("-"):
                assert word in {name for each in command.params for name in each.opts}
        assert command is not None, words


def test_the_page_tells_what_this_server_does() -> None:
    """How often a laptop comes, and whether anybody is told."""
    assert "about every 15 minutes" in PAGE.texts["main"]
    assert "about every 2 hours" in shown(interval_s=7_200).texts["main"]
    assert "This server sends alerts to a Slack channel" in PAGE.texts["main"]
    silent = shown(sends_alerts=False).texts["main"]
    assert "This server sends alerts to nobody" in silent


def test_the_page_tells_for_how_long_this_server_keeps_what() -> None:
    """As it is set; what is kept for ever is said so."""
    text = PAGE.texts["main"]
    assert "standings and findings: after 400 days." in text
    assert "Alerts that were sent, here; a chat keeps them as it likes: after 90 days." in text
    text = shown(keep=Keep(history=1, messages=0, shares=2_000)).texts["main"]
    assert "standings and findings: after one day." in text
    assert "likes: never." in text
    assert "which names none: after 2,000 days." in text


def test_no_link_leads_nowhere() -> None:
    """Within the page, or to what a verdict means."""
    within = {link.removeprefix("#") for link in PAGE.links if link.startswith("#")}
    assert within <= set(PAGE.entries)
    assert {link for link in PAGE.links if not link.startswith("#")} == {"help"}


def test_a_screen_reader_finds_its_way() -> None:
    """One first heading, no level left out, every landmark, and a way past the links."""
    levels = [int(tag[1]) for tag in PAGE.tags if tag in {"h1", "h2", "h3", "h4"}]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert [PAGE.tags.count(each) for each in ("header", "nav", "main", "footer")] == [1, 1, 1, 1]
    assert PAGE.links[0] == "#main"


def test_anybody_may_read_it(known: Known) -> None:
    """Of a real server, without a token, and it may load nothing."""
    answer = requests.get(f"{known.live.url}/laptop", timeout=PATIENCE_S)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.text == laptop.page(Here(900, Keep(), sends_alerts=False)).html
