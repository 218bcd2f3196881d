"""The Agent SDK's copies: recorded trees, and real packages of pip and npm."""

from collections.abc import Callable
from pathlib import Path, PurePath

import pytest

from agent import platforms
from agent.discover import census
from agent.discover.census import Census
from agent.fingerprint import Fingerprints
from agent.host import Host
from agent.testing import RecordedHost

Take = Callable[[Host], Census]
Tree = Callable[..., RecordedHost]
SCOPE = "/usr/local/lib/node_modules/@anthropic-ai"
SHA_330 = "f390eaa0814e6a1bff74cbb47acb74cb9c89d30ced809fe0af5af00c7bfe8ebb"
SHA_112 = "1c4c22f3f693aa389dd84062ab1f4342c75da6818e35842ba286b23fff065b18"


def _told(found: Census) -> list[tuple[str, str | None, str, tuple[str, ...]]]:
    return [
        (each.install.place, each.install.claimed, each.install.state, each.install.starts)
        for each in found.installs
        if each.install.method == "agent_sdk"
    ]


def _program(version: str) -> dict[str, object]:
    return {"program": {"platform": "linux-x64", "version": version}}


@pytest.mark.parametrize(
    ("tree_name", "tool"), [("agent_sdk/darwin", "pipx"), ("agent_sdk/win32", "uv-tool")]
)
def test_each_sdk_starts_its_own_copy(
    golden: Callable[[str], RecordedHost], take: Take, tree_name: str, tool: str
) -> None:
    """In a user site, in a tool's environment and under npm, each in the system's own places."""
    found = take(golden(tree_name))
    assert sorted(_told(found), key=str) == sorted(
        [
            ("global", "2.1.329", "ok", ("sdk",)),
            ("user-site", "2.1.330" if tool == "pipx" else None, "ok", ("sdk",)),
            (tool, None, "ok", ("sdk",)),
        ],
        key=str,
    )
    assert found.problems == ()


@pytest.mark.parametrize(
    ("said", "claimed"),
    [
        ("2.1.330 (Claude Code)\n", "2.1.330"),
        ("2.1.330", "2.1.330"),
        ("2.1.330; canary", None),
        ("canary", None),
        ("2.1.330 " + "x" * 300, None),
    ],
)
def test_only_a_version_is_taken_from_the_version_file(
    tree: Tree, take: Take, said: str, claimed: str | None
) -> None:
    """Whatever else it holds stays on the laptop, and the copy is told all the same."""
    bundled = "/home/u/.venv/lib/python3.11/site-packages/claude_agent_sdk/_bundled"
    host = tree({f"{bundled}/claude": _program("2.1.330"), f"{bundled}/claude.version": said})
    assert _told(take(host)) == [("venv", claimed, "ok", ("sdk",))]


def test_a_python_sdk_without_a_copy_is_no_install(tree: Tree, take: Take) -> None:
    """It starts what is on PATH, as the first releases did."""
    package = "/home/u/.venv/lib/python3.11/site-packages/claude_agent_sdk"
    assert take(tree({f"{package}/__init__.py": ""})).installs == ()


def test_the_package_inside_comes_before_the_one_beside(tree: Tree, take: Take) -> None:
    """Node.js takes the nearest; the other one is at rest, and claims nothing."""
    name = "claude-agent-sdk-linux-x64/claude"
    host = tree(
        {
            f"{SCOPE}/claude-agent-sdk/package.json": '{"claudeCodeVersion": "2.1.330"}',
            f"{SCOPE}/claude-agent-sdk/node_modules/@anthropic-ai/{name}": _program("2.1.330"),
            f"{SCOPE}/{name}": _program("2.1.329"),
        }
    )
    assert _told(take(host)) == [
        ("global", "2.1.330", "ok", ("sdk",)),
        ("global", None, "ok", ()),
    ]


def test_a_platform_package_alone_starts_nowhere(tree: Tree, take: Take) -> None:
    """Without the SDK's own package there is nobody who would start it."""
    host = tree({f"{SCOPE}/claude-agent-sdk-linux-x64/claude": _program("2.1.330")})
    assert _told(take(host)) == [("global", None, "ok", ())]


@pytest.mark.parametrize(
    ("description", "problem"),
    [
        ("{", "a package description: it is not JSON"),
        ("[" * 50_000, "a package description: it is not JSON"),
        (" " * 300_000, "a package description: it is too big"),
        ("[]", None),
        ('{"claudeCodeVersion": 7}', None),
        ('{"claudeCodeVersion": "../canary"}', None),
    ],
)
def test_a_hostile_description_claims_nothing(
    tree: Tree, take: Take, description: str, problem: str | None
) -> None:
    """The program is still examined."""
    host = tree(
        {
            f"{SCOPE}/claude-agent-sdk/package.json": description,
            f"{SCOPE}/claude-agent-sdk/cli.js": "#!/usr/bin/env node\n// Version: 2.1.112\n",
        }
    )
    found = take(host)
    assert _told(found) == [("global", None, "ok", ("sdk",))]
    assert [each.reason for each in found.problems] == ([problem] if problem else [])


def test_no_name_of_an_environment_or_package_is_sent(
    tree: Tree, take: Take, sent: Callable[[Host, Census], str]
) -> None:
    """Only whose tool keeps it: a tool's or a project's name is the user's own."""
    packages = "lib/python3.11/site-packages"
    bundled = f"{packages}/claude_agent_sdk/_bundled"
    host = tree(
        {
            f"/home/u/.local/share/pipx/venvs/canary/{bundled}/claude": _program("2.1.330"),
            f"/home/u/.local/share/uv/tools/canary/{bundled}/claude": _program("2.1.329"),
            f"/home/u/.local/share/uv/tools/canary/{bundled}/claude.version": "canary",
            f"/home/u/.pyenv/versions/canary/{packages}": {"folder": True, "unreadable": True},
            f"{SCOPE}/claude-agent-sdk-canary/claude": _program("2.1.240"),
            f"{SCOPE}/claude-agent-sdk/package.json": '{"name": "canary", "x": "canary"',
        }
    )
    found = take(host)
    assert len(found.installs) == 3
    said = sent(host, found)
    assert "canary" not in said
    assert "/home" not in said


@pytest.mark.real
@pytest.mark.origin("agent_sdk", "real")
def test_a_real_python_package_has_the_published_bytes(
    tmp_path: Path,
    python_sdk: Callable[[str], Path],
    home_with: Callable[..., Path],
    live: Callable[[Path], Host],
    take: Take,
) -> None:
    """0.2.187, as pip lays it into an environment, carries 2.1.330."""
    home_with(tmp_path / "home", python_sdk("0.2.187"), name=".venv")
    found = take(live(tmp_path / "home"))
    assert _told(found) == [("venv", "2.1.330", "ok", ("sdk",))]
    build = found.installs[0].install.build
    assert build is not None
    assert (build.version, build.package) == ("2.1.330", "@anthropic-ai/claude-code")
    if build.platform == "linux-x64":
        assert build.sha256 == SHA_330
    assert found.problems == ()


@pytest.mark.real
@pytest.mark.origin("agent_sdk", "real")
def test_an_environment_of_uvs_has_one_install_of_the_published_bytes(
    tmp_path: Path,
    uv_environment: Callable[[str, Path], Path],
    live: Callable[[Path], Host],
    take: Take,
) -> None:
    """Its program is a second name of the file in uv's own cache."""
    home = tmp_path / "home"
    home.mkdir()
    uv_environment("0.2.187", home / ".venv")
    found = take(live(home))
    assert _told(found) == [("venv", "2.1.330", "ok", ("sdk",))]
    build = found.installs[0].install.build
    assert build is not None
    if build.platform == "linux-x64":
        assert build.sha256 == SHA_330
    assert found.problems == ()


@pytest.mark.real
def test_environments_that_share_one_file_are_one_install(
    tmp_path: Path,
    python_sdk: Callable[[str], Path],
    home_with: Callable[..., Path],
    live: Callable[[Path], Host],
    take: Take,
) -> None:
    """As uv links a package from its cache into each of its environments."""
    home, package = tmp_path / "home", python_sdk("0.2.187")
    home_with(home, package, name=".venv")
    home_with(home, package, name=".local/share/uv/tools/x")
    found = take(live(home))
    assert _told(found) == [("venv", "2.1.330", "ok", ("sdk",))]
    assert [name.relative_to(home).parts[:3] for name in found.installs[0].names] == [
        (".local", "share", "uv")
    ]


@pytest.mark.real
def test_an_environment_is_found_where_the_settings_say(
    tmp_path: Path,
    python_sdk: Callable[[str], Path],
    home_with: Callable[..., Path],
    fingerprints: Fingerprints,
) -> None:
    """One below a folder of projects is looked into only because its user named it."""
    home = tmp_path / "home"
    home_with(home, python_sdk("0.2.187"), name="work/secret/.venv")
    root = tmp_path / "root"
    root.mkdir()
    host = platforms.live(home=home, system_root=root, environment={"SHELL": "/bin/bash"})
    assert census.take(host, fingerprints).installs == ()
    named = (home / "work/secret/.venv",)
    found = census.take(host, fingerprints, environments=named)
    assert _told(found) == [("named", "2.1.330", "ok", ("sdk",))]


@pytest.mark.real
def test_a_real_npm_package_has_the_published_bytes(
    tmp_path: Path,
    node_sdk: Callable[[str], Path],
    home_with: Callable[..., Path],
    live: Callable[[Path], Host],
    take: Take,
) -> None:
    """0.3.330 keeps 2.1.330 in a package for the platform, and says which it is."""
    home_with(tmp_path / "home", node_sdk("0.3.330"))
    found = take(live(tmp_path / "home"))
    assert _told(found) == [("global", "2.1.330", "ok", ("sdk",))]
    build = found.installs[0].install.build
    assert build is not None
    if build.platform == "linux-x64":
        assert build.sha256 == SHA_330
    assert found.problems == ()


@pytest.mark.real
def test_the_last_sdk_with_javascript_in_it_is_told_as_js(
    tmp_path: Path,
    node_sdk: Callable[[str], Path],
    home_with: Callable[..., Path],
    live: Callable[[Path], Host],
    take: Take,
) -> None:
    """0.2.112 holds a cli.js of 2.1.112: as long as that of Claude Code's package, not the same."""
    home_with(tmp_path / "home", node_sdk("0.2.112"))
    found = take(live(tmp_path / "home"))
    assert [each.install.starts for each in found.installs] == [("sdk",)]
    build = found.installs[0].install.build
    assert build is not None
    assert (build.form, build.version, build.size) == ("js", "2.1.112", 13_711_684)
    assert build.sha256 == SHA_112
    assert PurePath(found.installs[0].program).name == "cli.js"
