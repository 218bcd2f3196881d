"""The page for operators: read as a browser reads it, and asked of a real server."""

import base64
import hashlib
import itertools
import re

import msgspec
import pytest
import requests

from agent.wire import Meaning, Meanings
from server.meanings import meanings
from server.rules import rules
from server.rules.interface import Rule
from server.views.pages import help as help_page
from tests.server.conftest import Known
from tests.server.live import PATIENCE_S
from tests.server.views.pages.reading import Read, read


def shown(known: Meanings) -> Read:
    """The page of some meanings."""
    return read(help_page.page(known).html)


PAGE = shown(meanings())


def anchor(each: Meaning) -> str:
    """Where a link to a word points."""
    return each.word if each.kind in {"standing", "finding"} else f"{each.kind}-{each.word}"


@pytest.mark.parametrize("each", meanings().all, ids=lambda each: f"{each.kind} {each.word}")
def test_every_word_is_explained_where_a_link_to_it_points(each: Meaning) -> None:
    """Every rule and standing, with what it means and what to do."""
    entry = PAGE.entries[anchor(each)]
    assert each.says.replace("`", "") in entry
    assert each.mend.replace("`", "") in entry
    assert f"#{anchor(each)}" in PAGE.links


def test_the_page_says_what_the_rules_say_now() -> None:
    """Change a rule's words, and the page changes; remove the rule, and its entry is gone."""
    first, *others = rules()
    reworded = Rule(first.code, says="Quite another thing.", mend="Do `that` & <this>.")
    page = shown(meanings([reworded, *others]))
    assert "Quite another thing." in page.entries[first.code]
    assert first.says not in page.entries[first.code]
    assert "Do that & <this>." in page.entries[first.code]
    assert first.code not in shown(meanings(others)).entries


def test_no_link_leads_nowhere() -> None:
    """Within the page, to the same in JSON, or to the page for whose laptop it is."""
    within = {link.removeprefix("#") for link in PAGE.links if link.startswith("#")}
    assert within <= set(PAGE.entries)
    assert [link for link in PAGE.links if not link.startswith("#")] == ["v1/meanings", "laptop"]


def test_a_screen_reader_finds_its_way() -> None:
    """One first heading, no level left out, every landmark, a language and a way past the links."""
    levels = [int(tag[1]) for tag in PAGE.tags if tag in {"h1", "h2", "h3", "h4"}]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert [PAGE.tags.count(each) for each in ("header", "nav", "main", "footer")] == [1, 1, 1, 1]
    assert PAGE.links[0] == "#main"
    assert '<html lang="en">' in help_page.page(meanings()).html


def test_the_page_may_load_nothing_and_run_nothing() -> None:
    """The policy that is sent allows the very style that stands in the page, and nothing else."""
    page = help_page.page(meanings())
    style = PAGE.texts["style"]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = page.headers["content-security-policy"]
    assert f"default-src 'none'; style-src 'sha256-{digest}';" in policy
    assert "unsafe" not in policy
    assert not {"script", "img", "iframe", "link", "form", "object"} & set(PAGE.tags)
    assert " style=" not in page.html


def test_anybody_may_read_it(known: Known) -> None:
    """Of a real server, without a token; the same words are there for programs."""
    answer = requests.get(f"{known.live.url}/help", timeout=PATIENCE_S)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.text == help_page.page(meanings()).html
    told = requests.get(f"{known.live.url}/v1/meanings", timeout=PATIENCE_S)
    assert told.status_code == 200
    assert msgspec.json.decode(told.content, type=Meanings) == meanings()


def _luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("palette", [0, 1], ids=["light", "dark"])
def test_every_colour_of_text_can_be_read(palette: int) -> None:
    """At least 4.5 to 1 on every background that it stands on (WCAG 2.2, 1.4.3)."""
    blocks = PAGE.texts["style"].split(":root {")[1:]
    assert len(blocks) == 2
    colours = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6});", blocks[palette].partition("}")[0]))
    grounds = [colours.pop(name) for name in ("page", "card", "target")]
    colours.pop("line")
    assert set(colours) >= {"text", "quiet", "link", "drift"}
    for name, colour in colours.items():
        for ground in grounds:
            dark, light = sorted((_luminance(colour), _luminance(ground)))
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (name, ground)
