"""The page at the server's bare address: where the others are, for whoever typed only that."""

from server.views.pages.page import Page, render


def page() -> Page:
    """The whole page."""
    return render("start.html", {"title": "The public build, compared"})
