"""What people read, by example and by property."""

from datetime import UTC
from pathlib import PurePosixPath
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import render, text
from agent.claude_config.overrides import LocalOverride
from agent.pause import Pause
from agent.render import Local
from agent.wire import (
    Build,
    Config,
    FindingView,
    FixRef,
    HeadView,
    Install,
    InstallView,
    MachineView,
    Override,
    Problem,
    Standing,
    Unnamed,
    WaiverView,
)

NOW = 1_795_090_000
NPM = Install(
    "npm",
    "global",
    claimed="2.1.240",
    build=Build("ab" * 32, 236_000_000, "binary", version="2.1.240"),
    starts=("terminal",),
)
OLD = Install("native", "versions", claimed="2.1.200", reason="it may not be read")
VIEW = MachineView(
    machine="m-1",
    label="laptop-7",
    group="default",
    standing="drift",
    since=NOW - 266_400,
    tag="t",
    judged_at=NOW,
    installs=(
        InstallView(NPM, counted=True, public="2.1.240", trust="stated"),
        InstallView(OLD, counted=False),
    ),
    config=Config(
        revision=1,
        hash="sha256:" + "1" * 64,
        overrides=(
            Override("setting", "effortLevel", "user", "behaviour", "low"),
            Override("variable", "ANTHROPIC_BASE_URL", "user", "behaviour"),
            Override(
                "setting", "alwaysThinkingEnabled", "user", "behaviour", "on", is_default=True
            ),
        ),
        unnamed=(Unnamed("user", 2),),
    ),
    findings=(
        FindingView(
            "build-behind",
            "drift",
            "npm global",
            "The terminal starts 2.1.240, but the public latest is 2.1.331.",
            since=NOW - 266_400,
            deadline=NOW + 7_200,
            estimated=True,
            fix=FixRef("install", "npm", "2.1.331"),
            install=0,
        ),
    ),
    heads=(HeadView("latest", "npm", "2.1.331", NOW - 300_000, NOW - 240),),
)
LOCAL = Local(
    places=((NPM, PurePosixPath("/opt/node/bin/claude")), (OLD, PurePosixPath("/old/claude"))),
    overrides=(
        LocalOverride("setting", "effortLevel", "user", "behaviour", PurePosixPath("/h/s.json")),
        LocalOverride("setting", "mine", "user", "behaviour", None, named=False),
    ),
    typed_shell=(LocalOverride("variable", "ANTHROPIC_MODEL", "shell", "behaviour", None),),
    problems=(Problem("native", "a folder may not be read"),),
    public_default="sha256:" + "2" * 64,
)


def shown(view: MachineView = VIEW, local: Local = LOCAL) -> str:
    """The whole text."""
    return "\n".join(render.verdict(view, local, zone=UTC))


def test_every_surface_that_starts_a_copy_is_shown_whole() -> None:
    """What does not fit into a row stands beneath it, and no column is cut for it."""
    starts = ("desktop", "editor", "sdk", "terminal")
    many = msgspec.structs.replace(
        NPM, method="editor_extension", place="vscode-server", starts=starts
    )
    few = msgspec.structs.replace(NPM, method="agent_sdk", place="venv", starts=("sdk", "terminal"))
    views = tuple(
        InstallView(each, counted=True, public="2.1.240", trust="registry") for each in (many, few)
    )
    lines = shown(msgspec.structs.replace(VIEW, installs=views)).splitlines()
    at = next(number for number, line in enumerate(lines) if "editor_extension" in line)
    assert "4 surfaces" in lines[at]
    beneath = "editor_extension (vscode-server), started by desktop, editor, sdk, terminal"
    assert lines[at + 1].strip() == beneath
    assert [line for line in lines if "agent_sdk (venv)" in line and "sdk, terminal" in line]
    assert sum(line.endswith("the bytes of 2.1.240 (registry)") for line in lines) == 2
    assert max(map(len, lines[: at + 3])) <= 100


@pytest.mark.parametrize(
    "part",
    [
        "laptop-7 (group default): drift",
        "(3 d 2 h)",
        "npm (global)       2.1.240  sha256 abababababab  terminal",
        "the bytes of 2.1.240 (stated)",
        "/opt/node/bin/claude",
        "native (versions)",
        "at rest",
        "it may not be read",
        "latest   2.1.331  npm     4 min ago",
        "effortLevel",
        "no: it is the default",
        "and 2 more in the layer user",
        "set in /h/s.json",
        "not named to the server: mine",
        "public default  sha256:2222",
        "drift: build-behind",
        "The terminal starts 2.1.240",
        "since about 2026-",
        "in 2 h",
        "mend it: npm install -g @anthropic-ai/claude-code@2.1.331",
        "a folder may not be read",
        "(not sent)",
        "ANTHROPIC_MODEL",
    ],
)
def test_the_verdict_tells(part: str) -> None:
    """Everything that a person needs to know is there in words."""
    assert part in shown()


def test_nothing_but_paths_and_commands_is_wider_than_the_terminal() -> None:
    """A hundred columns hold every other line."""
    long = msgspec.structs.replace(VIEW.findings[0], sentence="many words " * 60)
    lines = shown(msgspec.structs.replace(VIEW, findings=(long,))).splitlines()
    assert max(map(len, lines)) <= 100


def test_colour_is_never_needed() -> None:
    """The same words, with and without."""
    painted = "\n".join(render.verdict(VIEW, LOCAL, zone=UTC, colour=True))
    assert "\x1b[31mdrift\x1b[0m" in painted
    assert painted.replace("\x1b[31m", "").replace("\x1b[0m", "") == shown()


def test_a_fix_that_this_agent_does_not_know_is_said_to_be_one() -> None:
    """A newer server's fix makes no command line of its own."""
    odd = msgspec.structs.replace(VIEW.findings[0], fix=FixRef("rm", "-rf", "/"))
    said = shown(msgspec.structs.replace(VIEW, findings=(odd,)))
    assert "mend it: this agent knows no command for that" in said
    assert "rm -rf" not in said


def test_the_public_default_is_named_when_it_is_met() -> None:
    """Equal hashes are said to be equal."""
    local = Local(public_default=VIEW.config.hash if VIEW.config else None)
    assert "that is the public default" in shown(local=local)


def test_a_machine_without_claude_code_is_told_kindly() -> None:
    """It learns what to do if it wants to be compared."""
    said = shown(
        msgspec.structs.replace(VIEW, standing="absent", installs=(), findings=()), Local()
    )
    assert "That is fine if you do not use it." in said
    assert "npm install -g @anthropic-ai/claude-code" in said


def test_an_unexamined_configuration_is_not_told_as_none() -> None:
    """No evidence is not the same as no override."""
    said = shown(msgspec.structs.replace(VIEW, config=None), Local())
    assert "could not be examined" in said


def test_a_look_up_under_way_is_told() -> None:
    """The person learns that asking again helps."""
    assert "ask again soon" in shown(msgspec.structs.replace(VIEW, settling=True))


def test_what_is_permitted_is_told_with_its_end() -> None:
    """Both at the finding and with who permitted it, why, and of what."""
    waived = msgspec.structs.replace(
        VIEW.findings[0], severity="exempt", deadline=None, waived_until=NOW + 90_000
    )
    waiver = WaiverView("w1", "build-behind", "waits for a fix", "Kim", NOW, NOW + 90_000)
    only = msgspec.structs.replace(waiver, code="config-overridden", subject="setting model")
    said = shown(
        msgspec.structs.replace(VIEW, standing="exempt", findings=(waived,), waivers=(waiver, only))
    )
    assert "laptop-7 (group default): exempt" in said
    assert "exempt: build-behind" in said
    assert "permitted until 2026-11-20 13:06, for 1 d 1 h more" in said
    assert "by Kim until 2026-11-20 13:06, for 1 d 1 h more: waits for a fix" in said
    assert "config-overridden, setting model only" in said


def test_a_note_is_told_as_one() -> None:
    """It changes no standing, and has its fix all the same."""
    note = FindingView("agent-outdated", "note", "agent 0.1.0", "the agent is older")
    said = shown(msgspec.structs.replace(VIEW, standing="match", findings=(note,)))
    assert "laptop-7 (group default): match" in said
    assert "note: agent-outdated" in said


def test_what_the_verdict_rests_on_is_told() -> None:
    """The channel, a digest that was learned, and that users are measured by this machine."""
    learned = InstallView(NPM, counted=True, public="2.1.240", trust="learned")
    view = msgspec.structs.replace(
        VIEW, channel="stable", installs=(learned,), is_reference=True, heads=()
    )
    assert "no source shows the channel stable" in shown(view)
    assert "the bytes of 2.1.240 (learned)" in shown(view)
    assert "it stands for what users run" in shown(view)
    signed = InstallView(NPM, counted=True, public="2.1.240", trust="signed")
    view = msgspec.structs.replace(view, heads=VIEW.heads, installs=(signed,))
    assert "judged by the channel stable" in shown(view)
    assert "the bytes of 2.1.240 (signed)" in shown(view)


@pytest.mark.parametrize("standing", get_args(Standing))
def test_every_standing_is_told_in_words(standing: Standing) -> None:
    """Paused with its end."""
    view = msgspec.structs.replace(VIEW, standing=standing, paused_until=NOW + 60)
    assert f"laptop-7 (group default): {standing}" in shown(view)
    assert "paused until 2026-11-19 12:07" in shown(view)


def test_a_pause_is_told_with_its_end_and_who_knows_of_it() -> None:
    """And never promises that the server knows."""
    pause = Pause(NOW, NOW + 7_200)
    said = "\n".join(render.paused(pause, NOW, untold="no network", zone=UTC))
    assert "paused until 2026-11-19 14:06, for 2 h more" in said
    assert "take this machine for a silent one" in said
    assert "could not be told: no network" in said
    told = "\n".join(render.paused(Pause(NOW, NOW + 7_200, is_told=True), NOW, zone=UTC))
    assert "the server knows" in told
    assert "silent" not in told


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (-5, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3_661, "1 h 1 min"),
        (86_400, "1 d"),
        (86_400 + 300, "1 d"),
        (266_400, "3 d 2 h"),
    ],
)
def test_a_length_of_time_has_two_units_at_most(seconds: int, words: str) -> None:
    """Short enough to read, exact enough to act on."""
    assert text.span(seconds) == words


@given(st.text(), st.text(), st.integers(0, 2**53 - 1))
def test_no_text_of_a_server_moves_the_cursor(label: str, sentence: str, at: int) -> None:
    """Whatever a server says, lines stay lines and nothing fails."""
    finding = FindingView("x", "drift", "s", sentence, since=at, deadline=at)
    view = msgspec.structs.replace(VIEW, label=label, findings=(finding,), since=at)
    for line in render.verdict(view, LOCAL, zone=UTC):
        assert line.isprintable()
