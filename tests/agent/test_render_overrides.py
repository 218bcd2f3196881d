"""What a person reads of overrides."""

from pathlib import PurePosixPath

from agent.claude_config.overrides import LocalOverride
from agent.render_overrides import overridden, typed_shell
from agent.wire import Config, Override, Unnamed

HASH = "sha256:" + "0" * 64
OTHER = "sha256:" + "1" * 64


def rows(*overrides: Override) -> list[list[str]]:
    """The cells of the rows that these make."""
    lines = overridden(Config(1, HASH, overrides), (), HASH)
    return [line.split(maxsplit=4) for line in lines[2:-2]]


def test_a_row_says_the_name_as_a_person_writes_it() -> None:
    """Flags with their dashes; files are there, not set."""
    assert rows(
        Override("flag", "model", "session", "behaviour", "opus"),
        Override("flag", "safe-mode", "session", "behaviour"),
        Override("setting", "alwaysThinkingEnabled", "user", "behaviour", value=False),
    ) == [
        ["--model", "session", "behaviour", "opus", "yes"],
        ["--safe-mode", "session", "behaviour", "set", "yes"],
        ["alwaysThinkingEnabled", "user", "behaviour", "false", "yes"],
    ]
    (files,) = rows(Override("file", "memory", "user", "personal"))
    assert files == ["memory", "(files)", "user", "personal", "there  no"]


def test_a_row_says_why_an_override_does_not_count() -> None:
    """Hidden, the default, or what users have too."""
    said = rows(
        Override("setting", "model", "user", "behaviour", shadowed=True),
        Override("flag", "setting-sources", "session", "behaviour", is_default=True),
        Override("setting", "hooks", "user", "personal"),
    )
    assert [row[4] for row in said] == ["no: a higher layer sets it", "no: it is the default", "no"]


def test_where_it_is_set_is_said_once_for_each_file() -> None:
    """A running session has none."""
    file = PurePosixPath("/h/s.json")
    found = [
        LocalOverride("setting", "model", "user", "behaviour", file),
        LocalOverride("setting", "mine", "user", "behaviour", file, named=False),
        LocalOverride("flag", "model", "session", "behaviour", None),
    ]
    lines = overridden(Config(1, HASH, unnamed=(Unnamed("user", 1),)), found, OTHER)
    assert lines == [
        "OVERRIDES",
        "  none",
        "  and 1 more in the layer user, whose names are not sent",
        "  set in /h/s.json",
        "  not named to the server: mine",
        f"  config hash     {HASH}",
        f"  public default  {OTHER}",
    ]


def test_what_was_not_looked_at_is_not_compared() -> None:
    """A laptop that cannot look knows no default."""
    assert overridden(Config(1, HASH), (), None)[-1] == f"  config hash  {HASH}"
    assert overridden(None, (), HASH) == ["OVERRIDES", "  the configuration could not be examined"]
    assert overridden(Config(1, HASH), (), HASH)[-1] == "  that is the public default"


def test_a_shell_without_such_variables_is_not_mentioned() -> None:
    """And one that has some is shown apart."""
    assert typed_shell(()) == []
    found = (LocalOverride("variable", "ANTHROPIC_MODEL", "shell", "behaviour", None, "opus"),)
    assert typed_shell(found)[-1].split() == ["ANTHROPIC_MODEL", "behaviour", "opus"]


def test_of_a_secret_only_the_presence_is_told() -> None:
    """Nobody has to fear that more was read; a path to certificates is in this class too."""
    found = (LocalOverride("variable", "NODE_EXTRA_CA_CERTS", "shell", "secret", None),)
    assert typed_shell(found)[-1].split() == ["NODE_EXTRA_CA_CERTS", "secret", "presence", "only"]
