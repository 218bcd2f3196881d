"""Which start files belong to a shell."""

import pytest

from agent.claude_config.start_files import of_shell


@pytest.mark.parametrize(
    ("shell", "last"),
    [
        ("bash", ".bashrc"),
        ("zsh", ".zlogin"),
        ("fish", ".config/fish/config.fish"),
        ("ksh", ".profile"),
    ],
)
def test_a_shells_last_file_is_its_own(shell: str, last: str) -> None:
    """Lowest precedence first, so the last file wins."""
    files = of_shell(shell, "linux")
    assert files[0].name == "/etc/environment"
    assert (files[-1].name, files[-1].system) == (last, False)


def test_windows_has_no_start_files() -> None:
    """Its variables live in the registry."""
    assert of_shell("bash", "win32") == ()
