"""The Python environments that are looked into: usual ones, named ones, and no more of them."""

from collections.abc import Callable
from pathlib import PurePath

import pytest

from agent.discover.interface import Site
from agent.discover.look import Look
from agent.discover.python.environments import ENVIRONMENTS_MAX, TOO_MANY, packages
from agent.testing import RecordedHost

Tree = Callable[..., RecordedHost]
INNER = "lib/python3.12/site-packages"


def _places(host: RecordedHost, *named: str, **variables: str) -> list[tuple[str, str]]:
    environments = tuple(type(host.home)(name) for name in named)
    site = Site(host, variables=variables, environments=environments)
    return [(each.place, str(each.folder)) for each in packages(site, Look(host))]


def _tree(tree: Tree, *folders: str, system: str = "linux") -> RecordedHost:
    return tree({folder: {"folder": True} for folder in folders}, system=system)


@pytest.mark.parametrize(
    ("place", "folder"),
    [
        ("user-site", f"/home/u/.local/{INNER}"),
        ("venv", f"/home/u/venv/{INNER}"),
        ("venv", "/home/u/.venv/lib/python3.13t/site-packages"),
        ("pipx", f"/home/u/.local/share/pipx/venvs/x/{INNER}"),
        ("pipx", f"/home/u/.local/pipx/venvs/x/{INNER}"),
        ("uv-tool", f"/home/u/.local/share/uv/tools/x/{INNER}"),
        ("pyenv", f"/home/u/.pyenv/versions/3.12.1/{INNER}"),
    ],
)
def test_usual_places_on_linux_are_found(tree: Tree, place: str, folder: str) -> None:
    """Each by its tool's documented default."""
    assert _places(_tree(tree, folder)) == [(place, folder)]


@pytest.mark.parametrize(
    ("place", "folder"),
    [
        ("user-site", "C:\\Users\\u\\AppData\\Roaming\\Python\\Python312\\site-packages"),
        ("venv", "C:\\Users\\u\\.venv\\Lib\\site-packages"),
        ("pipx", "C:\\Users\\u\\pipx\\venvs\\x\\Lib\\site-packages"),
        ("pipx", "C:\\Users\\u\\AppData\\Local\\pipx\\pipx\\venvs\\x\\Lib\\site-packages"),
        ("uv-tool", "C:\\Users\\u\\AppData\\Roaming\\uv\\tools\\x\\Lib\\site-packages"),
        ("pyenv", "C:\\Users\\u\\.pyenv\\pyenv-win\\versions\\3.12.1\\Lib\\site-packages"),
    ],
)
def test_usual_places_on_windows_are_found(tree: Tree, place: str, folder: str) -> None:
    """Environments have Lib there, and no folder per version in it."""
    assert _places(_tree(tree, folder, system="win32")) == [(place, folder)]


@pytest.mark.parametrize(
    ("place", "folder"),
    [
        ("user-site", "/Users/u/Library/Python/3.12/lib/python/site-packages"),
        ("pipx", f"/Users/u/Library/Application Support/pipx/venvs/x/{INNER}"),
    ],
)
def test_a_mac_has_places_of_its_own(tree: Tree, place: str, folder: str) -> None:
    """Beside those of Linux."""
    assert _places(_tree(tree, folder, system="darwin")) == [(place, folder)]


@pytest.mark.parametrize(
    ("variable", "place", "inner"),
    [
        ("PYTHONUSERBASE", "user-site", INNER),
        ("PIPX_HOME", "pipx", f"venvs/x/{INNER}"),
        ("UV_TOOL_DIR", "uv-tool", f"x/{INNER}"),
        ("PYENV_ROOT", "pyenv", f"versions/x/{INNER}"),
    ],
)
def test_a_variable_moves_a_place(tree: Tree, variable: str, place: str, inner: str) -> None:
    """As the shell's start files set it."""
    folder = f"/data/{inner}"
    assert _places(_tree(tree, folder), **{variable: "/data"}) == [(place, folder)]


def test_an_environment_in_a_project_is_not_looked_for(tree: Tree) -> None:
    """Unless its user names it, or its folder of packages, in the agent's settings."""
    project = "/home/u/projects/secret/.venv"
    host = _tree(tree, f"{project}/{INNER}")
    assert _places(host) == []
    assert ("named", f"{project}/{INNER}") in _places(host, project)
    assert _places(host, f"{project}/{INNER}") == [("named", f"{project}/{INNER}")]


def test_one_folder_is_told_once(tree: Tree) -> None:
    """Links to environments lie beside the versions of pyenv."""
    real = "/home/u/.pyenv/versions/3.12.1"
    files = {
        f"{real}/{INNER}": {"folder": True},
        "/home/u/.pyenv/versions/work": {"link": real},
        "/home/u/venv": {"link": real},
    }
    assert _places(tree(files)) == [("venv", f"/home/u/venv/{INNER}")]


def test_too_many_are_a_problem_and_named_ones_come_first(tree: Tree) -> None:
    """The search ends at a fixed number, and says so."""
    folders = [f"/home/u/.pyenv/versions/{at}/{INNER}" for at in range(ENVIRONMENTS_MAX + 5)]
    host = _tree(tree, *folders, f"/named/{INNER}")
    look = Look(host)
    found = list(packages(Site(host, environments=(PurePath("/named"),)), look))
    assert len(found) == ENVIRONMENTS_MAX
    assert found[0].place == "named"
    assert list(look.problems) == [TOO_MANY]


def test_a_folder_that_may_not_be_listed_is_a_problem(tree: Tree) -> None:
    """Told by its kind, and the others are still found."""
    host = tree(
        {
            "/home/u/.pyenv/versions": {"folder": True, "unreadable": True},
            f"/home/u/venv/{INNER}": {"folder": True},
        }
    )
    look = Look(host)
    assert [each.place for each in packages(Site(host), look)] == ["venv"]
    assert list(look.problems) == ["the Python environments of pyenv: it may not be read"]
