"""What ``parity-agent doctor`` makes of what was seen: each check as a value. Pure.

A check is well, worth a warning, or failed: failed is what keeps this machine from being
judged, or its verdict from being believed. Each that is not well says what to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Literal

from packaging.version import InvalidVersion, Version

from agent.errors import AgentError
from agent.pause import Pause
from agent.text import span, when

Judged = Literal["ok", "warn", "fail"]

SKEW_WARN_S = 60.0
"""How far the clocks may be apart before it is worth a warning, in seconds."""

SKEW_FAIL_S = 3_600.0
"""How far the clocks may be apart at most, in seconds."""

CERTIFICATE_WARN_S = 14 * 86_400.0
"""How long before its end a certificate is worth a warning, in seconds."""

FREE_WARN_BYTES = 64 * 1024 * 1024
"""Free space below which the state folder is worth a warning, in bytes."""

FREE_FAIL_BYTES = 4 * 1024 * 1024
"""Free space that the journal and the caches need at least, in bytes."""

_ELSEWHERE = "set PARITY_AGENT_STATE_DIR to a folder on a disk of this machine, and enrol there"
_MIB = 1024 * 1024


@dataclass(frozen=True)
class Examined:
    """One check.

    Attributes:
        name: What it is about.
        verdict: ``ok``, ``warn`` or ``fail``.
        seen: What was seen.
        advice: What to do about it; empty where nothing is to be done.
    """

    name: str
    verdict: Judged
    seen: str
    advice: str = ""


@dataclass(frozen=True)
class StateFolder:
    """What was seen of the state folder, or of the folder in which it would be made.

    Attributes:
        path: Where it is.
        exists: It is there.
        is_mine: It belongs to this user; None where the system does not tell.
        is_writable: This user may keep files in it.
        free_bytes: Free space; None where it could not be asked.
        kind: The file system's name; None where it is not known.
        is_shared: Other machines can write to a file system of this kind.
    """

    path: str
    exists: bool
    is_mine: bool | None
    is_writable: bool
    free_bytes: int | None
    kind: str | None
    is_shared: bool


@dataclass(frozen=True)
class Route:
    """How a server is reached.

    Attributes:
        proxy: Host and port of the proxy; None where it is asked directly.
        proxy_from: The variable that names the proxy, or ``the system's settings``.
        trust: The file or folder of the authorities that are trusted.
        trust_from: What names that.
    """

    proxy: str | None
    proxy_from: str
    trust: str
    trust_from: str


def failed(name: str, error: AgentError) -> Examined:
    """A check that ended in an error."""
    return Examined(name, "fail", str(error), error.advice)


def is_healthy(all_of: Sequence[Examined]) -> bool:
    """Whether none failed."""
    return all(each.verdict != "fail" for each in all_of)


def of_home(home: str, problem: str) -> Examined:
    """Whether the home folder can be listed; `problem` is empty where it can."""
    if problem:
        advice = "run the agent as the user whose home it is"
        return Examined("home", "fail", f"{home} cannot be read: {problem}", advice)
    return Examined("home", "ok", f"{home} can be read")


def of_configuration(files: int, problems: Sequence[str]) -> Examined:
    """Whether Claude Code's settings can be read."""
    if not problems:
        seen = f"{files} found, all can be read" if files else "none found"
        return Examined("settings of Claude Code", "ok", seen)
    reasons = "; ".join(dict.fromkeys(problems))
    return Examined(
        "settings of Claude Code",
        "warn",
        f"{files} found; {len(problems)} could not be read whole: {reasons}",
        "mend the file, or make it readable for this user; see: parity-agent check",
    )


def of_processes(count: int | None, problem: str) -> Examined:
    """Whether running sessions can be seen; `count` is None where they are not to be."""
    if problem:
        advice = "sessions are not told then; to have it so, set scan_processes = false"
        return Examined("processes", "warn", f"they cannot be read: {problem}", advice)
    if count is None:
        return Examined("processes", "ok", "not looked at: scan_processes is off")
    return Examined("processes", "ok", f"{count} of this user can be seen")


def of_settings(place: str, *, exists: bool, changed: Sequence[str]) -> Examined:
    """Which settings are not at their default; named, and never with a value."""
    where = place if exists else f"no file {place}"
    what = f"set: {', '.join(changed)}" if changed else "all at their defaults"
    return Examined("settings of the agent", "ok", f"{where}; {what}")


def of_state(folder: StateFolder) -> Examined:
    """Whether the state folder can be used, and is this user's and this machine's alone."""
    name, path = "state folder", folder.path
    if folder.is_mine is False:
        advice = "each user has one of their own: run the agent as its owner, or unset state_dir"
        return Examined(name, "fail", f"{path} belongs to another user", advice)
    if not folder.is_writable:
        what = "written" if folder.exists else "made"
        return Examined(name, "fail", f"{path} cannot be {what}", _ELSEWHERE)
    free = folder.free_bytes
    if free is not None and free < FREE_WARN_BYTES:
        judged: Judged = "fail" if free < FREE_FAIL_BYTES else "warn"
        return Examined(name, judged, f"{path} has {free // _MIB} MiB left", "make some room")
    if folder.is_shared:
        seen = f"{path} is on a network file system ({folder.kind}): a machine that shares it"
        return Examined(name, "warn", f"{seen} would be taken for this one", _ELSEWHERE)
    kind = f" ({folder.kind})" if folder.kind else ""
    made = "" if folder.exists else "; it will be made when it is needed"
    return Examined(name, "ok", f"{path}{kind} can be written{made}")


def of_route(route: Route) -> tuple[Examined, Examined]:
    """Which proxy is used, and by whose word the server is trusted."""
    proxy = f"{route.proxy}, from {route.proxy_from}" if route.proxy else "none is used"
    return (
        Examined("proxy", "ok", proxy),
        Examined("authorities", "ok", f"{route.trust}, from {route.trust_from}"),
    )


def of_clock(ahead_s: float | None) -> Examined:
    """Whether this machine's clock and the server's agree.

    Args:
        ahead_s: How far this machine's is ahead, in seconds; None if the server told none.
    """
    if ahead_s is None:
        return Examined("clock", "warn", "the server told no time", "compare the clocks by hand")
    if abs(ahead_s) <= SKEW_WARN_S:
        return Examined("clock", "ok", "agrees with the server's to a minute")
    judged: Judged = "fail" if abs(ahead_s) > SKEW_FAIL_S else "warn"
    way = "ahead of" if ahead_s > 0 else "behind"
    seen = f"{span(abs(ahead_s))} {way} the server's"
    return Examined("clock", judged, seen, "let the system set its clock from the network (NTP)")


def of_certificate(left_s: float | None, *, is_shown: bool) -> Examined:
    """How long the server's certificate lasts, which is trusted: or there was no answer.

    Args:
        left_s: In seconds; None where the connection does not tell.
        is_shown: Whether there is one: on loopback there need be none.
    """
    if not is_shown:
        return Examined("certificate", "ok", "none is needed on this machine")
    if left_s is None:
        return Examined("certificate", "ok", "trusted here; its end was not told")
    if left_s < CERTIFICATE_WARN_S:
        advice = "tell the server's operator: without a new one no laptop can check in"
        return Examined("certificate", "warn", f"ends in {span(left_s)}", advice)
    return Examined("certificate", "ok", f"trusted here; ends in {span(left_s)}")


def of_versions(own: str, theirs: str | None, common: Sequence[int] | None) -> Examined:
    """Whether agent and server understand each other.

    Args:
        own: The agent's version.
        theirs: The server's; None where it does not tell.
        common: The wire versions that both speak; None where the server does not tell.
    """
    if common is not None and not common:
        advice = "update the agent, or ask your operator to update the server"
        seen = f"the agent is {own}, the server {theirs}: they speak no common wire version"
        return Examined("versions", "fail", seen, advice)
    if theirs is None:
        return Examined("versions", "ok", f"the agent is {own}; the server does not tell its own")
    wires = f"; both speak wire {common[0]}" if common else ""
    seen = f"the agent is {own}, the server {theirs}{wires}"
    if _is_older(own, theirs):
        return Examined("versions", "warn", seen, "update the agent")
    return Examined("versions", "ok", seen)


def of_pause(pause: Pause, zone: tzinfo | None = None) -> Examined:
    """What is left out while a pause lasts; `zone` is the reader's, None for the system's."""
    left_out = "the server was not asked, nor Claude Code looked at"
    seen = f"paused until {when(pause.until, zone)}: {left_out}; to end it: parity-agent resume"
    return Examined("pause", "ok", seen)


def of_daemon(*, is_running: bool, is_paused: bool = False) -> Examined:
    """Whether the agent runs in the background."""
    if is_running:
        return Examined("daemon", "ok", "is running")
    advice = "run: parity-agent service install"
    then = "nothing looks again after the pause" if is_paused else "this machine will fall silent"
    return Examined("daemon", "warn", f"is not running: {then}", advice)


def of_service(*, is_installed: bool, is_current: bool, file: str) -> Examined:
    """Whether the system starts the daemon by itself."""
    advice = "run: parity-agent service install"
    if not is_installed:
        return Examined("service", "warn", "is not installed", advice)
    if not is_current:
        return Examined("service", "warn", f"{file} is out of date", advice)
    return Examined("service", "ok", f"is installed: {file}")


def _is_older(own: str, theirs: str) -> bool:
    try:
        return Version(own) < Version(theirs)
    except InvalidVersion:
        return False
