"""Goodbyes, and which files go."""

from pathlib import Path

import pytest
from werkzeug import Response

from agent import leaving, lock
from agent.errors import AgentError
from agent.identity import Identity
from agent.settings import Settings
from tests.agent.receiver import Receiver


def enrolled_at(url: str) -> Identity:
    """A machine of that server."""
    return Identity(url, "m-1", "tok-5ecret", "laptop-7", "default")


def test_a_goodbye_is_one_request_with_the_token(receiver: Receiver, laptop: Settings) -> None:
    """And nothing else of this laptop."""
    receiver.answer_first = lambda _request: Response(b"", 204)
    assert leaving.say_goodbye(laptop, enrolled_at(receiver.url)) == ""
    assert receiver.bodies == [("DELETE", "/v1/machines/me", b"")]
    assert "Bearer tok-5ecret" in receiver.headers[0]


def test_a_goodbye_that_nobody_hears_says_why(receiver: Receiver, laptop: Settings) -> None:
    """Whatever stood in the way."""
    receiver.answer_first = lambda _request: Response(b"", 502)
    assert "502" in leaving.say_goodbye(laptop, enrolled_at(receiver.url))
    assert leaving.say_goodbye(laptop, enrolled_at("https://localhost:1"))


def test_only_what_the_agent_makes_is_removed(tmp_path: Path) -> None:
    """By name: the folder may be one that its user has for other things too."""
    ours = [
        *("identity.json", "journal.db", "journal.db-journal", "journal.damaged.db"),
        *("fingerprints.json", "pause.json", "fingerprints.json.4711.new", "pause.lock"),
    ]
    theirs = ("notes.txt", "journal.db.backup", "identity.json.old")
    for name in (*ours, *theirs):
        (tmp_path / name).write_text("x")
    (tmp_path / "enrolling.json").mkdir()
    removed = leaving.remove(tmp_path, keep_state=False)
    assert {file.name for file in removed.files} >= set(ours)
    assert removed.stayed == ()
    assert removed.folder_stays
    left = sorted(each.name for each in tmp_path.iterdir())
    assert left == sorted([*theirs, "enrolling.json"])


def test_a_folder_of_the_agents_own_goes_too(tmp_path: Path) -> None:
    """And a second removal finds nothing."""
    state = tmp_path / "state"
    state.mkdir()
    (state / "identity.json").write_text("x")
    assert not leaving.remove(state, keep_state=False).folder_stays
    assert not state.exists()
    assert leaving.remove(state, keep_state=False) == leaving.Removed(())
    assert not state.exists()


def test_a_kept_state_keeps_no_identity(tmp_path: Path) -> None:
    """Its token is worth nothing, and the next enrolment must not be taken for a second one."""
    for name in ("identity.json", "enrolling.json", "journal.db", "fingerprints.json"):
        (tmp_path / name).write_text("x")
    removed = leaving.remove(tmp_path, keep_state=True)
    assert [file.name for file in removed.files] == ["identity.json", "enrolling.json"]
    assert (tmp_path / "journal.db").exists()
    assert (tmp_path / "fingerprints.json").exists()


def test_nothing_is_removed_under_a_running_agent(tmp_path: Path) -> None:
    """It would go on writing what was removed."""
    (tmp_path / "identity.json").write_text("x")
    with (
        lock.held(tmp_path / "daemon.lock", timeout_s=0, holder="a test"),
        pytest.raises(AgentError, match="already running"),
    ):
        leaving.remove(tmp_path, keep_state=False, ending_s=0.1)
    assert (tmp_path / "identity.json").exists()


@pytest.mark.parametrize(
    ("executable", "command"),
    [
        ("/home/u/.local/share/pipx/venvs/build-parity/bin/python", "pipx uninstall build-parity"),
        (
            "/home/u/.local/share/uv/tools/build-parity/bin/python",
            "uv tool uninstall build-parity",
        ),
        (
            "/opt/parity env/bin/python",
            '"/opt/parity env/bin/python" -m pip uninstall build-parity',
        ),
    ],
)
def test_how_to_remove_the_package_is_known_by_where_it_lies(executable: str, command: str) -> None:
    """Whatever put it there takes it away."""
    assert leaving.package_removal(Path(executable)) == command
