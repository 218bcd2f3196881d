"""Which processes are sessions, and which of their builds are told for how long."""

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import sessions, wire
from agent.digest import canonical
from agent.sessions import LEAVES_S, MARK_S, Seen, Sighting, follow, sighting

NOW = 1_795_000_000
BUILD = wire.Build("ab" * 32, 7, "binary", version="2.1.330")
OTHER = wire.Build("cd" * 32, 7, "binary", version="2.1.329")
PRESENT = wire.Session("present", BUILD)
DELETED = wire.Session("deleted", BUILD)
NEW = wire.Session("present", OTHER)

SESSIONS = st.builds(
    wire.Session,
    file=st.sampled_from(["present", "deleted", "replaced"]),
    build=st.none()
    | st.integers(0, 20).map(lambda number: wire.Build(f"{number:064x}", 7, "binary")),
    reason=st.none() | st.sampled_from(["it may not be read", "it cannot be read"]),
)
OVERRIDES = st.builds(
    wire.Override,
    kind=st.sampled_from(["flag", "variable"]),
    key=st.sampled_from(["model", "effort", "CLAUDE_X"]),
    layer=st.just("session"),
    override_class=st.just("behaviour"),
    value=st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["opus", "low"]),
)
PROBLEMS = st.sampled_from(["its arguments", "its variables"]).map(
    lambda reason: wire.Problem("sessions", reason)
)
ALL_SEEN: st.SearchStrategy[Seen] = SESSIONS | OVERRIDES | PROBLEMS
SIGHTINGS = st.builds(sighting, ALL_SEEN, st.integers(NOW - 4_000, NOW + 4_000))


@pytest.mark.parametrize(
    "place",
    [
        "/home/u/.local/share/claude/versions/2.1.330",
        "/xdg/claude/versions/2.1.330-rc1",
        "/u/claude/versions/bundles/2.1.330@0123456789ab.01234567/claude.app/Contents/MacOS/claude",
        "/Users/u/.local/share/claude/ClaudeCode.app/Contents/MacOS/claude",
        "/usr/lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe",
        "/p/node_modules/@anthropic-ai/claude-code-linux-x64-musl/claude",
        "/p/node_modules/@anthropic-ai/claude-agent-sdk-darwin-arm64/claude",
        "/h/.cursor/extensions/anthropic.claude-code-2.1.3-linux-x64/resources/native-binary/claude",
        "/h/.config/Claude/claude-code/2.1.330/claude",
        "/U/Application Support/Claude-3p/claude-code/2.1.3/claude.app/Contents/MacOS/claude",
        "/v/lib/python3.12/site-packages/claude_agent_sdk/_bundled/claude",
        "/opt/homebrew/Caskroom/claude-code@latest/2.1.330/claude",
        "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-claude-code-2.1.330/bin/.claude-wrapped",
        "/opt/claude-code/bin/claude",
        "/usr/lib/claude-code-stable-bin/claude",
    ],
)
def test_a_program_in_a_methods_place_is_a_session(place: str) -> None:
    """Facts 1.1 and 4.1, row by row."""
    assert sessions.is_place(PurePosixPath(place))


@pytest.mark.parametrize(
    "place",
    [
        r"C:\Users\u\.local\bin\claude.exe",
        r"C:\Users\u\.local\bin\claude.exe.old.1795000000000.4711",
        r"C:\Users\u\.local\share\claude\versions\2.1.330",
        r"C:\Users\u\AppData\Roaming\npm\node_modules\@anthropic-ai\claude-code\bin\claude.exe",
        r"C:\Users\u\AppData\Roaming\Claude\claude-code\2.1.330\claude.exe",
        r"C:\Users\u\AppData\Local\Microsoft\WinGet\Packages\Anthropic.ClaudeCode_x\claude.exe",
    ],
)
def test_a_windows_program_in_a_methods_place_is_a_session(place: str) -> None:
    """Also under the name that an update gave to it while it ran."""
    assert sessions.is_place(PureWindowsPath(place))


@pytest.mark.parametrize(
    "place",
    [
        "/usr/bin/claude",
        "/usr/bin/grep",
        "/home/u/claude/versions/notes",
        "/home/u/claude/versions/2.1.330/tool",
        "/usr/lib/node_modules/@anthropic-ai/claude-code/vendor/ripgrep/rg",
        "/Applications/Claude.app/Contents/MacOS/Claude",
        "/Applications/Claude.app/Contents/Frameworks/Claude Helper.app/Contents/MacOS/Helper",
        "/usr/bin/node",
    ],
)
def test_other_programs_are_not(place: str) -> None:
    """Helpers of the app, tools that it brings along, anything of that name elsewhere."""
    assert not sessions.is_place(PurePosixPath(place))


def test_a_build_enters_at_once() -> None:
    """And wants its time renewed soon."""
    told = follow((), [PRESENT, PRESENT], NOW)
    assert told.sessions == (PRESENT,)
    assert told.keep == (sighting(PRESENT, NOW),)
    assert told.again_at == NOW + MARK_S


def test_a_build_is_told_for_half_an_hour_after_it_was_seen() -> None:
    """Closing a terminal and opening it again is no change."""
    before = follow((), [PRESENT], NOW).keep
    for age in (60, LEAVES_S, LEAVES_S + MARK_S):
        assert follow(before, [], NOW + age).sessions == (PRESENT,)
    ended = follow(before, [], NOW + 60)
    assert ended.again_at == NOW + LEAVES_S + MARK_S + 1
    gone = follow(before, [], ended.again_at)
    assert (gone.sessions, gone.keep, gone.again_at) == ((), (), None)


def test_a_session_whose_file_goes_is_told_in_its_present_state_only() -> None:
    """That it was present a minute ago is no news."""
    before = follow((), [PRESENT, NEW], NOW).keep
    told = follow(before, [DELETED, NEW], NOW + 60)
    assert set(told.sessions) == {DELETED, NEW}


def test_little_time_is_not_kept() -> None:
    """What is kept is written and synced: once in a while is enough."""
    before = follow((), [PRESENT], NOW).keep
    assert follow(before, [PRESENT], NOW + MARK_S - 1).keep is before
    assert follow(before, [PRESENT], NOW + MARK_S).keep == (sighting(PRESENT, NOW + MARK_S),)
    assert follow(before, [PRESENT, NEW], NOW + 1).keep != before


def test_a_clock_set_back_keeps_nothing_for_ever() -> None:
    """A time that lies ahead counts as now."""
    told = follow((sighting(PRESENT, NOW + 86_400),), [], NOW)
    assert told.keep == (sighting(PRESENT, NOW),)


def test_more_builds_than_fit_are_told_as_such() -> None:
    """Those that run now come before those that ended."""
    running = [wire.Session("present", wire.Build(f"{at:064x}", 1, "binary")) for at in range(8)]
    told = follow((sighting(PRESENT, NOW - 60),), running, NOW)
    assert set(told.sessions) == set(running)
    assert told.problems == (sessions.TOO_MANY,)


MODEL = wire.Override("flag", "model", "session", "behaviour", "opus")
UNREAD = wire.Problem("sessions", "a session's variables may not be read")


def test_what_a_session_was_started_with_is_told_as_long_as_a_build() -> None:
    """The same holds for what could not be seen of it."""
    before = follow((), [PRESENT, MODEL, UNREAD], NOW).keep
    told = follow(before, [], NOW + LEAVES_S)
    assert (told.sessions, told.overrides, told.problems) == ((PRESENT,), (MODEL,), (UNREAD,))
    told = follow(before, [], NOW + LEAVES_S + MARK_S + 1)
    assert (told.sessions, told.overrides, told.problems) == ((), (), ())


def test_only_the_present_value_of_an_override_is_told() -> None:
    """A session that ended a minute ago was started with another one."""
    before = follow((), [MODEL], NOW).keep
    other = wire.Override("flag", "model", "session", "behaviour", "haiku")
    assert follow(before, [other], NOW + 60).overrides == (other,)


def test_more_overrides_than_fit_are_told_as_such() -> None:
    """Nothing is left out unsaid."""
    many = [
        wire.Override("variable", f"CLAUDE_X{at}", "session", "behaviour")
        for at in range(sessions.OVERRIDES_MAX + 1)
    ]
    told = follow((), many, NOW)
    assert len(told.overrides) == sessions.OVERRIDES_MAX
    assert told.problems == (sessions.TOO_MANY_OVERRIDES,)


def test_what_an_older_agent_kept_is_read() -> None:
    """It kept builds alone."""
    kept = b'[{"session":{"file":"deleted","reason":"it cannot be read"},"at":1795000000}]'
    (read,) = sessions.decode(kept)
    assert read.seen == wire.Session("deleted", reason="it cannot be read")


@given(st.lists(SIGHTINGS, max_size=80), st.lists(ALL_SEEN, max_size=80))
def test_what_is_told_is_bounded_and_in_one_order(
    before: list[Sighting], running: list[Seen]
) -> None:
    """Whatever runs, and whatever ran."""
    told = follow(tuple(before), running, NOW)
    assert len(told.sessions) <= wire.SESSIONS_MAX
    assert list(told.sessions) == sorted(set(told.sessions), key=canonical)
    assert told == follow(tuple(before), running[::-1], NOW)
    assert len(told.keep) <= max(sessions.KEPT_MAX, len(before))


@given(st.lists(SIGHTINGS, max_size=5).map(tuple))
def test_what_is_kept_is_read_back(kept: tuple[Sighting, ...]) -> None:
    """Damage is nothing kept."""
    assert sessions.decode(sessions.encode(kept)) == kept
    assert sessions.decode(b'[{"session":7}]') == ()
    assert sessions.decode(b"\xff") == ()
