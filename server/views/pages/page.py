"""How every page is made: one template, one style, and no permission to load anything.

A page is one answer: its style stands in it, and the policy that is sent with it allows that
very style by its hash and nothing else, no script, image or form. So a page works behind any
proxy path, and text that came from elsewhere can do nothing but be read.
"""

import base64
import functools
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Page:
    """A page as it is answered.

    Attributes:
        html: The whole document.
        headers: What is sent with it beside its type and length.
    """

    html: str
    headers: Mapping[str, str]


def render(template: str, values: Mapping[str, object]) -> Page:
    """A page out of its template.

    Args:
        template: Its file's name.
        values: What the template names; text in them is escaped.
    """
    style = _style()
    html = _environment().get_template(template).render(values, style=Markup(style))  # noqa: S704 - our own file
    return Page(html, _headers(style))


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("server.views.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["prose"] = _prose
    return made


def _prose(text: str) -> Markup:
    """A sentence in which what stands between backticks is code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before


@functools.cache
def _style() -> str:
    source, _, _ = PackageLoader("server.views.pages").get_source(_environment(), "style.css")
    return source


def _headers(style: str) -> Mapping[str, str]:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return {
        "content-security-policy": f"default-src 'none'; style-src 'sha256-{digest}';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "cache-control": "max-age=300",
    }
