"""The page for operators: what each standing and finding means, and what to do.

It tells nothing of the fleet, so that nobody need sign in to read it, and links of a message
to one of its words (``/help#build-behind``) work for everyone.
"""

from agent.wire import Meanings
from server.views.pages.page import Page, render


def page(known: Meanings) -> Page:
    """The whole page.

    Args:
        known: What there is to explain.
    """
    return render("help.html", {"known": known, "title": "What a verdict means"})
