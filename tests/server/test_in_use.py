"""The build that a machine is counted by."""

import pytest

from agent.wire import Install, Profile
from server.activity import NOT_EXAMINED
from server.in_use import NOTHING, build_in_use
from tests.server.shop import BEHIND, HEAD

EDITORS = Install("editor_extension", "vscode", build=BEHIND, starts=("editor",))
TERMINALS = Install("npm", "global", build=HEAD, starts=("desktop", "terminal"))
UNREAD = Install("native", "versions", "not-examined", starts=("terminal",))
LOGINS = Install("native", "versions", build=BEHIND, starts=("login-shell",))
AT_REST = Install("native", "versions", build=BEHIND)


@pytest.mark.parametrize(
    ("installs", "build"),
    [
        ((), NOTHING),
        ((AT_REST,), NOTHING),
        ((AT_REST, EDITORS), BEHIND.sha256),
        ((EDITORS, TERMINALS), HEAD.sha256),
        ((LOGINS, TERMINALS), HEAD.sha256),
        ((TERMINALS, UNREAD), HEAD.sha256),
        ((EDITORS, UNREAD, TERMINALS), NOT_EXAMINED),
    ],
)
def test_it_is_what_a_terminal_starts(installs: tuple[Install, ...], build: str) -> None:
    """Else the first copy that anything starts; what is at rest is no use."""
    assert build_in_use(Profile(1, "linux", "x64", installs)) == build
