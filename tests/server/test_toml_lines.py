"""The line told for a key is the line where it stands, however it is written."""

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.toml_lines import (
    DEPTH_MAX,
    NAME_MAX_CHARS,
    SCALAR_MAX_CHARS,
    Place,
    UnboundedError,
    lines_of,
)


def places(value: object, at: Place = ()) -> Iterator[Place]:
    """Every place in a document."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield (*at, key)
            yield from places(inner, (*at, key))


WRITTEN = """\
# a comment with [brackets] and an "open quote
top = 1
dotted . inner . "quoted.name" = 'a # no comment'

[table.'literal name']    # ]]
text = \"\"\"
fake = 1
\\\"\"\" still text \"\"\"\"\"
after_text = '''
[fake]''' # end
when = 1979-05-27 07:32:00
list = [ # one
  "first", { inside = 1, dot.ted = [ ] },

  "]",
]
[[many]]
name = 1
[many.sub]
name = 2
[[many]]
[[many.deep]]
name = 3
"""


def test_every_way_to_write_a_key_is_followed() -> None:
    """Dotted, quoted, inline, over several lines, after texts that look like keys."""
    expected: dict[Place, int] = {
        ("top",): 2,
        ("dotted",): 3,
        ("dotted", "inner"): 3,
        ("dotted", "inner", "quoted.name"): 3,
        ("table",): 5,
        ("table", "literal name"): 5,
        ("table", "literal name", "text"): 6,
        ("table", "literal name", "after_text"): 9,
        ("table", "literal name", "when"): 11,
        ("table", "literal name", "list"): 12,
        ("table", "literal name", "list", 0): 13,
        ("table", "literal name", "list", 1): 13,
        ("table", "literal name", "list", 1, "inside"): 13,
        ("table", "literal name", "list", 1, "dot"): 13,
        ("table", "literal name", "list", 1, "dot", "ted"): 13,
        ("table", "literal name", "list", 2): 15,
        ("many",): 17,
        ("many", 0): 17,
        ("many", 0, "name"): 18,
        ("many", 0, "sub"): 19,
        ("many", 0, "sub", "name"): 20,
        ("many", 1): 21,
        ("many", 1, "deep"): 22,
        ("many", 1, "deep", 0): 22,
        ("many", 1, "deep", 0, "name"): 23,
    }
    assert set(places(tomllib.loads(WRITTEN))) == set(expected)
    assert lines_of(WRITTEN) == expected
    assert lines_of(WRITTEN.replace("\n", "\r\n")) == expected


@dataclass
class Writer:
    """Writes values as TOML and keeps the line of each."""

    draw: st.DrawFn
    text: str = ""
    lines: dict[Place, int] = field(default_factory=dict)

    def mark(self, place: Place) -> None:
        """What follows stands here."""
        self.lines[place] = self.text.count("\n") + 1

    def one_of(self, *texts: str) -> None:
        """Writes one of some texts that mean the same."""
        self.text += self.draw(st.sampled_from(texts))

    def document(self, value: dict[str, object]) -> None:
        """A document: first the values, then the tables, by headers or inline."""
        self.table((), value)

    def table(self, at: Place, value: dict[str, object]) -> None:
        """The body of a table, then those inside it."""
        later = []
        for key, inner in value.items():
            if isinstance(inner, dict) and self.draw(st.booleans()):
                later.append((key, inner))
                continue
            self.one_of("", "\n", "# x = [\n", "  ")
            self.pair(at, key, inner)
            self.one_of("\n", " # y = 'z\n", "\n\n")
        for key, inner in later:
            self.one_of("", "\n", "\t")
            self.mark((*at, key))
            header = ".".join(map(self.name, (*at, key)))
            self.text += f"[{header}]\n"
            self.table((*at, key), inner)

    def pair(self, at: Place, key: str, value: object) -> None:
        """A key and its value."""
        self.mark((*at, key))
        self.text += self.name(key)
        self.one_of("=", " = ", "\t= ")
        self.value((*at, key), value)

    def name(self, key: object) -> str:
        """A key in one of the ways in which it can be written."""
        ways = [json.dumps(key, ensure_ascii=self.draw(st.booleans()))]
        if str(key).isascii() and str(key).isalnum():
            ways.append(str(key))
        if "'" not in str(key):
            ways.append(f"'{key}'")
        return self.draw(st.sampled_from(ways))

    def value(self, at: Place, value: object) -> None:
        """A value in one of the ways in which it can be written."""
        if isinstance(value, list):
            self.text += "["
            for number, item in enumerate(value):
                self.one_of("", "\n", " # ] \n\n")
                self.mark((*at, number))
                self.value((*at, number), item)
                self.one_of(",", " ,", "\n,")
            self.one_of("]", "\n]")
        elif isinstance(value, dict):
            self.text += "{"
            for number, (key, item) in enumerate(value.items()):
                self.text += ", " if number else " "
                self.pair(at, key, item)
            self.text += "}"
        elif isinstance(value, str):
            plain = json.dumps(value)
            self.one_of(plain, f'""{plain}""', f'"""\n{plain[1:-1]}"""')
        else:
            self.text += str(value).lower()


_names = st.text("ab1 .'\"]#=é", max_size=4)
_leaves = st.booleans() | st.integers(0, 99) | st.text("ab \n'\"]}#=", max_size=5)
_documents = st.dictionaries(
    _names,
    st.recursive(
        _leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)


@given(st.data(), _documents)
def test_any_document_has_each_key_on_its_line(
    data: st.DataObject, document: dict[str, object]
) -> None:
    """Written at random, with the lines kept while writing."""
    writer = data.draw(st.composite(lambda draw: _written(draw, document))())
    if any(len(place) > DEPTH_MAX for place in places(document)):
        return
    assert tomllib.loads(writer.text) == document
    assert lines_of(writer.text) == writer.lines


def _written(draw: st.DrawFn, document: dict[str, object]) -> Writer:
    writer = Writer(draw)
    writer.document(document)
    return writer


_SOUP = st.lists(
    st.sampled_from(
        [
            "a", "b", "'c d'", '"e"', ".", "=", " = ", "[", "]", "[[", "]]", "{", "}", ",", "\n",
            "\r\n", "\r", "#", " ", "1", '"', "'", '"""', "'''", "\\", "1979-05-27 07:32:00", "é",
            "a = 1\n", "[a]\n", "[[a]]\n", "[a.b]\n", "a.b = [1]\n", "a = {b = 1}\n",
        ]
    ),
    max_size=25,
).map("".join)  # fmt: skip


@given(_SOUP | st.text())
def test_what_the_parser_accepts_is_followed_to_its_end(text: str) -> None:
    """No place of the document is missing, and none is invented; any other text ends too."""
    lines = lines_of(text)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(lines) == set(places(document))
    assert set(lines.values()) <= set(range(1, text.count("\n") + 2))


@pytest.mark.parametrize(
    ("text", "line", "place"),
    [
        ("\na = " + "[" * 10_000, 2, ("a", *[0] * (DEPTH_MAX - 1))),
        ("a = 1\n" + ".".join("b" * 10_000) + " = 1", 2, ("b",) * (DEPTH_MAX + 1)),
        ("[" + ".".join("b" * 10_000) + "]", 1, ("b",) * (DEPTH_MAX + 1)),
        ("a = " + "{ b = " * 10_000, 1, ("a", *["b"] * (DEPTH_MAX - 1))),
        ("x.y = " + "9" * 5_000, 1, ("x", "y")),
        ("\n\n" + "k" * (NAME_MAX_CHARS + 1) + " = 1", 3, ()),
    ],
)
def test_what_could_break_the_parser_is_refused_before_it(
    text: str, line: int, place: Place
) -> None:
    """Deep nests and endless numbers, with the line and as much of the way as was followed."""
    with pytest.raises(UnboundedError) as caught:
        lines_of(text)
    assert (caught.value.line, caught.value.place) == (line, place)


def test_what_is_just_within_the_bounds_is_read() -> None:
    """The bounds are inclusive."""
    deep = ".".join(["a"] * DEPTH_MAX)
    text = f"{deep} = {'9' * SCALAR_MAX_CHARS}\n{'k' * NAME_MAX_CHARS} = 1\n"
    assert set(lines_of(text)) == set(places(tomllib.loads(text)))
