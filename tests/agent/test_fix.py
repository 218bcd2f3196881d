"""The closed table: what a server says can choose a row, and never write one."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.fix import NPM_PACKAGE, Command, render
from agent.wire import FixRef


@pytest.mark.parametrize(
    ("fix", "text"),
    [
        (
            FixRef("install", "npm", "2.1.330"),
            "npm install -g @anthropic-ai/claude-code@2.1.330",
        ),
        (
            FixRef("reinstall", "npm", "2.1.330"),
            f"npm install -g --allow-scripts={NPM_PACKAGE} {NPM_PACKAGE}@2.1.330",
        ),
        (FixRef("install", "native", "2.1.330"), "claude install 2.1.330"),
        (
            FixRef("reinstall", "native", "2.1.330"),
            "curl -fsSL https://claude.ai/install.sh | bash -s 2.1.330",
        ),
        (
            FixRef("install", "pnpm", "2.1.330"),
            f"pnpm add -g --allow-build={NPM_PACKAGE} {NPM_PACKAGE}@2.1.330",
        ),
        (FixRef("install", "bun", "2.1.330"), f"bun add -g --trust {NPM_PACKAGE}@2.1.330"),
        (FixRef("install", "yarn", "2.1.330"), f"yarn global add {NPM_PACKAGE}@2.1.330"),
        (
            FixRef("install", "winget", "2.1.330"),
            "winget install --id Anthropic.ClaudeCode -e --version 2.1.330",
        ),
        (
            FixRef("reinstall", "yarn", "2.1.330"),
            f"yarn global remove {NPM_PACKAGE} && yarn global add {NPM_PACKAGE}@2.1.330",
        ),
    ],
)
def test_a_fix_is_the_documented_command(fix: FixRef, text: str) -> None:
    """Facts 1.4, word by word."""
    command = render(fix)
    assert command is not None
    assert command.text == text


@pytest.mark.parametrize("action", ["unset", "set"])
@pytest.mark.parametrize("layer", ["user", "managed", "environment", "state"])
def test_every_layer_says_where_to_change_a_key(action: str, layer: str) -> None:
    """An override is mended by a person: there is text, and nothing to run."""
    command = render(FixRef(action, layer, "effortLevel"))
    assert command is not None
    assert "effortLevel" in command.text
    assert command.argv is None


@pytest.mark.parametrize(
    ("fix", "told"),
    [
        (FixRef("unshadow", "npm", "2.1.197"), f"remove 2.1.197: npm uninstall -g {NPM_PACKAGE}"),
        (FixRef("unshadow", "native", "2.1.197"), "remove 2.1.197: delete ~/.local/bin/claude"),
        (FixRef("unshadow", "other", "2.1.197"), "remove 2.1.197: delete the file that your PATH"),
        (
            FixRef("install", "homebrew", "2.1.330"),
            "brew upgrade claude-code, or claude-code@latest",
        ),
        (
            FixRef("install", "legacy_local", "2.1.330"),
            "claude install 2.1.330, then delete ~/.claude/local",
        ),
        (FixRef("install", "version_manager", "2.1.330"), "mise use -g claude@2.1.330"),
        (FixRef("install", "system_package", "2.1.330"), "sudo apt install claude-code=2.1.330"),
        (FixRef("install", "system_package", "2.1.330"), "sudo dnf install claude-code-2.1.330"),
        (FixRef("install", "system_package", "2.1.330"), "sudo apk add claude-code=2.1.330"),
        (FixRef("unshadow", "system_package", "2.1.197"), "sudo apk del claude-code"),
        (FixRef("install", "nix", "2.1.330"), "pin a revision of nixpkgs"),
        (FixRef("reinstall", "nix", "2.1.330"), "take claude-code out of your Nix profile"),
        (FixRef("restart", "session", "again"), "end the running sessions of Claude Code"),
        (FixRef("upgrade", "agent", "0.2.0"), "install version 0.2.0 of this agent"),
        (FixRef("enrol", "agent", "again"), "enrol one of the two laptops anew"),
    ],
)
def test_what_only_a_person_can_do_is_told_in_words(fix: FixRef, told: str) -> None:
    """Which copy to keep, when to end a session, which of two laptops to rename."""
    command = render(fix)
    assert command is not None
    assert told in command.text
    assert command.argv is None


@pytest.mark.parametrize(
    "fix",
    [
        FixRef("install", "npm", "2.1.330; rm -rf ~"),
        FixRef("install", "npm", "2.1.330\n"),
        FixRef("install", "npm", "--registry=https://example.com"),
        FixRef("install", "npm", "latest"),
        FixRef("unset", "user", "a key"),
        FixRef("set", "user", "effortLevel=high"),
        FixRef("unshadow", "npm", "again"),
        FixRef("restart", "session", "now"),
        FixRef("delete", "npm", "2.1.330"),
        FixRef("install", "carrier-pigeon", "2.1.330"),
    ],
)
def test_what_is_not_in_the_table_renders_nothing(fix: FixRef) -> None:
    """Another action or method, or a target of another form."""
    assert render(fix) is None


@pytest.mark.parametrize("action", ["install", "reinstall", "unshadow"])
@pytest.mark.parametrize(
    "method",
    [
        "agent_sdk",
        "bun",
        "desktop",
        "editor_extension",
        "homebrew",
        "legacy_local",
        "native",
        "nix",
        "npm",
        "pnpm",
        "system_package",
        "version_manager",
        "winget",
        "yarn",
    ],
)
def test_every_way_of_installing_can_be_mended(action: str, method: str) -> None:
    """To a version, back to its public bytes, and out of the way of another copy."""
    command = render(FixRef(action, method, "2.1.330"))
    assert command is not None
    # Homebrew brings the head of the cask's channel, whatever is asked for.
    assert "2.1.330" in command.text or method == "homebrew"
    assert "{" not in command.text


@given(st.builds(FixRef, st.text(), st.text(), st.text()))
def test_a_strange_fix_never_raises(fix: FixRef) -> None:
    """A newer or hostile server cannot stop the agent here."""
    assert render(fix) is None or isinstance(render(fix), Command)


@given(st.from_regex(r"\d+\.\d+\.\d+(-[0-9A-Za-z.]{1,32})?", fullmatch=True))
def test_what_is_shown_is_what_would_run(version: str) -> None:
    """A command that can run is one that a shell reads as the same words."""
    for method in ("npm", "native", "pnpm", "bun", "yarn", "winget"):
        for action in ("install", "reinstall"):
            command = render(FixRef(action, method, version))
            if command is not None and command.argv is not None:
                assert tuple(shlex.split(command.text)) == command.argv
