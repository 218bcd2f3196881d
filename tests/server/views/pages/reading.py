"""A page as a reader or a program finds it."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"meta", "link", "br", "img", "input", "hr"})


@dataclass
class Read(HTMLParser):
    """What a reader finds on a page.

    Attributes:
        entries: The text of every element that a link can point to, by its id.
        tags: Every element's name, in order.
        links: Where links point to.
        texts: The text of elements by name.
    """

    entries: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One more element is open."""
        known = dict(attrs)
        self.tags.append(tag)
        if (href := known.get("href")) is not None:
            self.links.append(href)
        if (name := known.get("id")) is not None:
            assert name not in self.entries, f"two elements have the id {name}"
            self.entries[name] = ""
        if tag not in _VOID:
            self._open.append((tag, known.get("id")))

    def handle_endtag(self, tag: str) -> None:
        """The innermost one ends."""
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        """Text is of all that is open."""
        for tag, name in self._open:
            self.texts[tag] = self.texts.get(tag, "") + data
            if name is not None:
                self.entries[name] += data


def read(html: str) -> Read:
    """The page as read to its end."""
    page = Read()
    page.feed(html)
    page.close()
    return page
