"""From which surface a session was started, by the registry's words and by its program."""

from pathlib import PurePath, PurePosixPath, PureWindowsPath

import pytest

from agent import surfaces


@pytest.mark.parametrize(
    ("entry_point", "kind", "surface"),
    [
        ("cli", "interactive", "terminal"),
        ("cli", None, "terminal"),
        ("claude-vscode", "interactive", "editor"),
        ("claude-desktop", None, "desktop"),
        ("claude-desktop-3p", None, "desktop"),
        ("local-agent", None, "desktop"),
        ("sdk-py", None, "sdk"),
        ("sdk-ts", "interactive", "sdk"),
        ("sdk-cli", None, "sdk"),
        ("cli", "bg", "background"),
        ("sdk-cli", "daemon", "background"),
        (None, "daemon-worker", "background"),
        ("mcp", None, "other"),
        ("remote_mobile", "interactive", "other"),
        ("claude-desktopper", None, "other"),
        (None, "interactive", None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_the_registry_says_from_where(
    entry_point: str | None, kind: str | None, surface: str | None
) -> None:
    """Facts 4.1 and 4.2; what is not known of an entry point is a surface of its own."""
    assert surfaces.of_entry(entry_point, kind) == surface


@pytest.mark.parametrize(
    ("program", "surface"),
    [
        (PurePosixPath("/home/u/.local/share/claude/versions/2.1.330"), "terminal"),
        (
            PurePosixPath("/u/.local/share/claude/ClaudeCode.app/Contents/MacOS/claude"),
            "background",
        ),
        (PurePosixPath("/n/node_modules/@anthropic-ai/claude-code/bin/claude.exe"), "terminal"),
        (PurePosixPath("/n/node_modules/@anthropic-ai/claude-agent-sdk-linux-x64/claude"), "sdk"),
        (PurePosixPath("/n/node_modules/@anthropic-ai/claude-agent-sdk/cli.js"), "sdk"),
        (PurePosixPath("/v/lib/python3.12/site-packages/claude_agent_sdk/_bundled/claude"), "sdk"),
        (
            PurePosixPath(
                "/h/.cursor/extensions/anthropic.claude-code-2.1.3-linux-x64"
                "/resources/native-binary/claude"
            ),
            "editor",
        ),
        (PurePosixPath("/h/.config/Claude/claude-code/2.1.330/claude"), "desktop"),
        (PureWindowsPath(r"C:\Users\u\AppData\Roaming\Claude\claude-code\2\claude.exe"), "desktop"),
    ],
)
def test_a_copy_of_its_own_tells_who_starts_it(program: PurePath, surface: str) -> None:
    """Facts 1.1 and 4.1: editors, the desktop app and SDKs bring their copies along."""
    assert surfaces.of_program(program, None) == surface


@pytest.mark.parametrize(
    ("method", "surface"),
    [
        ("editor_extension", "editor"),
        ("desktop", "desktop"),
        ("agent_sdk", "sdk"),
        ("npm", "terminal"),
        ("other", "terminal"),
    ],
)
def test_a_known_install_tells_it_wherever_it_lies(method: str, surface: str) -> None:
    """By its method."""
    assert surfaces.of_program(PurePosixPath("/odd/claude"), method) == surface
