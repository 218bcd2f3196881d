"""Running sessions on recorded machines of other systems."""

from pathlib import Path, PurePosixPath

import pytest

from agent import executed, wire
from agent.fingerprint import Fingerprints
from agent.host import Host
from agent.running import Running
from agent.started import DENIED
from agent.testing import recorded
from tests.agent.scratch import installed, sessions_of

HOSTS = Path(__file__).parents[1] / "golden" / "hosts" / "sessions"


@pytest.fixture
def cache(tmp_path: Path) -> Fingerprints:
    """An empty cache."""
    return Fingerprints(tmp_path / "cache.json")


def test_without_a_look_into_memory_an_older_file_tells_the_bytes(cache: Fingerprints) -> None:
    """One that was changed after the start, or is gone, does not."""
    found = sessions_of(Running().look(recorded((HOSTS / "win32.toml").read_text()), cache, ()))
    assert found[0].build is not None
    assert found == [
        wire.Session("present", found[0].build),
        wire.Session("replaced", reason=executed.LATER),
        wire.Session("deleted", reason=executed.GONE),
    ]


def test_a_session_that_cannot_be_looked_at_is_told_with_a_reason(cache: Fingerprints) -> None:
    """The registry says that it is one; a bundle's form is that of its install."""
    bundle, denied = sessions_of(
        Running().look(recorded((HOSTS / "darwin.toml").read_text()), cache, ())
    )
    assert bundle.build is not None
    assert bundle.build.form == "bundle"
    assert denied == wire.Session("present", reason=executed.DENIED)


def test_only_what_a_terminal_started_tells_with_what(cache: Fingerprints) -> None:
    """Helpers and editors set flags and variables of their own."""
    host = recorded((HOSTS / "started.toml").read_text("utf-8"))
    installs = installed(PurePosixPath("/n/lib/node_modules/@anthropic-ai/claude-code/cli.js"))
    found = {each.process.pid: each for each in Running().look(host, cache, installs)}
    assert {pid: each.surface for pid, each in found.items()} == {
        61: "terminal",
        62: "background",
        63: "other",
        64: "terminal",
        65: "editor",
        66: "terminal",
        67: "sdk",
    }
    assert [pid for pid, each in found.items() if each.traits] == [61, 64]
    assert [pid for pid, each in found.items() if each.unread] == [66]
    assert found[66].unread == (("variables", DENIED),)
    assert "canary" not in repr([*found.values()])


def changed(name: str, old: str, new: str) -> Host:
    """A recorded machine on which something is otherwise by now."""
    text = (HOSTS / name).read_text("utf-8")
    assert old in text
    return recorded(text.replace(old, new))


def test_a_session_that_may_be_looked_at_by_now_is_examined(cache: Fingerprints) -> None:
    """It was denied at the look before; one that still is stays as it was."""
    followed = Running()
    before = recorded((HOSTS / "darwin.toml").read_text("utf-8"))
    followed.look(before, cache, ())
    assert not followed.has_changed(before)
    path = "/Users/u/Library/Application Support/Claude/claude-code/2.1.3"
    program = f"{path}/claude.app/Contents/MacOS/claude"
    now = changed("darwin.toml", 'exe = "/denied"\ndenied = true', f'exe = "{program}"')
    assert followed.has_changed(now)
    assert [each.build is None for each in sessions_of(followed.look(now, cache, ()))] == [
        False,
        False,
    ]


def test_a_program_that_was_renamed_under_its_session_is_the_same(cache: Fingerprints) -> None:
    """Where no memory is shown its bytes could not be read anew (facts 4.3)."""
    followed = Running()
    (before, *_) = followed.look(recorded((HOSTS / "win32.toml").read_text("utf-8")), cache, ())
    program = r"C:\Users\u\.local\bin\claude.exe"
    old = f"{program}.old.1800000000001.41"
    text = (HOSTS / "win32.toml").read_text("utf-8")
    head = f"[files.'{program}']"
    newer = 'program = {platform = "win32-x64", version = "2.1.331"}'
    text = text.replace(head, f"[files.'{old}']").replace(
        "[[processes]]", f"{head}\n{newer}\n[[processes]]", 1
    )
    now = recorded(text.replace(f"exe = '{program}'", f"exe = '{old}'", 1))
    (after, *_) = followed.look(now, cache, ())
    assert after.process == before.process
    assert after.session == wire.Session("replaced", before.session.build)
