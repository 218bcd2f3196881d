"""Units read back as their managers read them: what is started, and with which variables."""

import plistlib
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from agent.service.interface import Unit
from agent.service.scheduled_task import SCHEMA


@dataclass(frozen=True)
class Start:
    """What a manager starts."""

    command: list[str]
    environment: dict[str, str]


def start_of(unit: Unit) -> Start:
    """What the manager of a unit starts, by the unit's bytes alone."""
    return {"systemd": _systemd, "launchd": _launchd, "task_scheduler": _task}[unit.manager](
        unit.body
    )


def keys_of(body: bytes) -> dict[str, list[str]]:
    """A systemd unit's values by key, comments left out, as written."""
    found: dict[str, list[str]] = {}
    for line in body.decode().splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def _systemd(body: bytes) -> Start:
    keys = keys_of(body)
    (command,) = keys["ExecStart"]
    words = [word.replace("$$", "$") for word in _words(command)]
    told = [word for line in keys["Environment"] for word in _words(line)]
    return Start(words, dict(_pair(word) for word in told))


def _words(text: str) -> list[str]:
    """systemd.syntax(7), "Quoting", and the specifiers of systemd.unit(5): only ``%%``."""
    found = []
    for quoted in re.findall(r'"((?:[^"\\]|\\.)*)"', text):
        plain = re.sub(r"\\(.)", r"\1", quoted)
        assert not re.search(r"(?<!%)(%%)*%(?!%)", plain), "a specifier"
        found.append(plain.replace("%%", "%"))
    return found


def _pair(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    return name, value


def _launchd(body: bytes) -> Start:
    told = plistlib.loads(body)
    return Start(told["ProgramArguments"], told["EnvironmentVariables"])


def _task(body: bytes) -> Start:
    root = ET.fromstring(body)  # noqa: S314 - it is our own
    command = root.findtext(f".//{{{SCHEMA}}}Command")
    arguments = root.findtext(f".//{{{SCHEMA}}}Arguments")
    assert command
    assert arguments
    # Of Windows' rules for quoting, these have only the quotation mark in common.
    words = shlex.shlex(arguments, posix=True, punctuation_chars="")
    words.whitespace_split, words.escape, words.commenters = True, "", ""
    return Start([str(Path(command)), *words], {})
