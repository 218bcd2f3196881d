"""npm's global copies: recorded trees, and real packages on a real disk."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.discover.census import Census
from agent.host import Host
from agent.testing import RecordedHost

Take = Callable[[Host], Census]
Tree = Callable[..., RecordedHost]
PACKAGE = "lib/node_modules/@anthropic-ai/claude-code"
SHA_330 = "f390eaa0814e6a1bff74cbb47acb74cb9c89d30ced809fe0af5af00c7bfe8ebb"
SHA_112 = "bc3358282800e3e99daa8e71ac5b7b1566bd0d7ca7eb94f714a7859365d3163f"


def _told(found: Census) -> list[tuple[str, str | None, str, bool]]:
    return [
        (each.install.place, each.install.claimed, each.install.state, each.install.counted)
        for each in found.installs
    ]


def test_windows_shims_start_the_package_beside_them(
    golden: Callable[[str], RecordedHost], take: Take
) -> None:
    """claude.cmd on PATH is a name of the native program, not a script of its own."""
    found = take(golden("npm/win32"))
    assert _told(found) == [("global", "2.1.330", "ok", True)]
    assert any(name.name == "claude.exe" for name in found.installs[0].names)


def test_a_volta_shim_in_front_starts_voltas_copy(
    golden: Callable[[str], RecordedHost], take: Take
) -> None:
    """Homebrew's copy behind it on PATH is at rest."""
    found = take(golden("npm/darwin"))
    assert _told(found) == [
        ("volta", "2.1.329", "ok", True),
        ("global", "2.1.330", "ok", False),
    ]


def test_a_volta_shim_starts_voltas_package_and_no_node_version(tree: Tree, take: Take) -> None:
    """What a Node.js image of Volta holds besides has no shim."""
    tools = "/home/u/.volta/tools/image"
    old, new = f"{tools}/node/20.1.0", f"{tools}/packages/@anthropic-ai/claude-code"
    files: dict[str, object] = {
        "/home/u/.bashrc": "PATH=~/.volta/bin:$PATH",
        "/home/u/.volta/bin/claude": {"text": "volta's shim", "mode": "x"},
    }
    for prefix, version in ((old, "2.1.240"), (new, "2.1.330")):
        program = {"program": {"platform": "linux-x64", "version": version}}
        files[f"{prefix}/{PACKAGE}/bin/claude.exe"] = program
        files[f"{prefix}/{PACKAGE}/package.json"] = f'{{"version": "{version}"}}'
    assert _told(take(tree(files))) == [
        ("volta", "2.1.330", "ok", True),
        ("volta", "2.1.240", "ok", False),
    ]


def test_every_nvm_version_is_told_and_the_default_counts(
    golden: Callable[[str], RecordedHost], take: Take
) -> None:
    """The default alias leads over lts/* to a version without nvm being run."""
    found = take(golden("npm/linux-nvm"))
    assert _told(found) == [("nvm", "2.1.330", "ok", True), ("nvm", "2.1.329", "ok", False)]
    assert found.problems == ()


def test_a_prefix_of_the_users_npmrc_is_found(tree: Tree, take: Take) -> None:
    """A prefix that is on no PATH still holds an install, at rest."""
    program = {"program": {"platform": "linux-x64", "version": "2.1.330"}}
    host = tree(
        {
            "/home/u/.npmrc": "; mine\nprefix = ${HOME}/node things\n",
            f"/home/u/node things/{PACKAGE}/package.json": '{"version": "2.1.330"}',
            f"/home/u/node things/{PACKAGE}/bin/claude.exe": program,
        }
    )
    assert _told(take(host)) == [("global", "2.1.330", "ok", False)]


def test_a_package_without_its_program_is_not_examined(tree: Tree, take: Take) -> None:
    """A half-removed package is told with the reason, not left out."""
    host = tree({f"/usr/local/{PACKAGE}/package.json": '{"version": "2.1.330"}'})
    found = take(host)
    assert _told(found) == [("global", "2.1.330", "not-examined", False)]
    assert found.installs[0].install.reason == "the package has no program file"


@pytest.mark.parametrize(
    ("description", "problem"),
    [
        ("{", "a package description: it is not JSON"),
        ("[" * 50_000, "a package description: it is not JSON"),
        (" " * 300_000, "a package description: it is too big"),
        ("[]", None),
        ('{"version": 7}', None),
        ('{"version": "../../etc"}', None),
    ],
)
def test_a_hostile_description_claims_nothing(
    tree: Tree, take: Take, description: str, problem: str | None
) -> None:
    """The program is still examined; the claim is what is missing."""
    program = {"program": {"platform": "linux-x64", "version": "2.1.330"}}
    host = tree(
        {
            f"/usr/local/{PACKAGE}/package.json": description,
            f"/usr/local/{PACKAGE}/bin/claude.exe": program,
        }
    )
    found = take(host)
    assert _told(found) == [("global", None, "ok", False)]
    assert [each.reason for each in found.problems] == ([problem] if problem else [])


def test_a_payload_with_other_bytes_is_an_install_at_rest(tree: Tree, take: Take) -> None:
    """Where npm copied instead of linking, wrapper and payload are two files."""
    payload = f"/usr/local/{PACKAGE}/node_modules/@anthropic-ai/claude-code-linux-x64"
    host = tree(
        {
            f"/usr/local/{PACKAGE}/package.json": '{"version": "2.1.330"}',
            f"/usr/local/{PACKAGE}/bin/claude.exe": {
                "program": {"platform": "linux-x64", "version": "2.1.330"}
            },
            f"{payload}/package.json": '{"version": "2.1.329"}',
            f"{payload}/claude": {"program": {"platform": "linux-x64", "version": "2.1.329"}},
            "/usr/local/bin/claude": {"link": f"../{PACKAGE}/bin/claude.exe"},
        }
    )
    assert _told(take(host)) == [
        ("global", "2.1.330", "ok", True),
        ("payload", "2.1.329", "ok", False),
    ]


@pytest.mark.real
@pytest.mark.origin("npm", "real")
def test_a_real_package_is_one_install_by_its_bytes(
    tmp_path: Path,
    claude_package: Callable[..., Path],
    home_with: Callable[..., Path],
    live: Callable[[Path], Host],
    take: Take,
) -> None:
    """Wrapper, payload and launcher of 2.1.330 are one file with the published digest."""
    package = home_with(tmp_path / "home", claude_package("2.1.330"))
    found = take(live(tmp_path / "home"))
    assert _told(found) == [("global", "2.1.330", "ok", True)]
    build = found.installs[0].install.build
    assert build is not None
    assert build.commit == "8c664bec500172ded713624f9ecac0eb7e714829"
    if build.platform == "linux-x64":
        assert (build.sha256, build.size) == (SHA_330, 381_121_040)
    assert found.installs[0].program == package / "bin/claude.exe"
    assert len(found.installs[0].names) == 2
    assert found.problems == ()


@pytest.mark.real
def test_a_real_package_without_scripts_is_a_stub(
    tmp_path: Path,
    claude_package: Callable[..., Path],
    home_with: Callable[..., Path],
    live: Callable[[Path], Host],
    take: Take,
) -> None:
    """The placeholder counts, in its own state; the payload beside it is at rest."""
    home_with(tmp_path / "home", claude_package("2.1.330", scripts=False))
    found = take(live(tmp_path / "home"))
    assert _told(found) == [
        ("global", "2.1.330", "stub", True),
        ("payload", "2.1.330", "ok", False),
    ]
    assert found.installs[0].install.build is None
    assert found.installs[0].install.reason is None


@pytest.mark.real
def test_the_last_javascript_release_is_told_as_js(
    tmp_path: Path,
    claude_package: Callable[..., Path],
    home_with: Callable[..., Path],
    live: Callable[[Path], Host],
    take: Take,
) -> None:
    """2.1.112 runs cli.js, whose bytes have the published digest."""
    home_with(tmp_path / "home", claude_package("2.1.112"))
    found = take(live(tmp_path / "home"))
    assert _told(found) == [("global", "2.1.112", "ok", True)]
    build = found.installs[0].install.build
    assert build is not None
    assert (build.form, build.version, build.sha256) == ("js", "2.1.112", SHA_112)
