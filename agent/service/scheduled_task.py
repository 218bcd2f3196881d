"""The service as a scheduled task of Windows. Pure.

A task begins when its user signs in. ``RestartOnFailure`` counts as failed only what the task
scheduler could not start, so the trigger is repeated too: while the daemon runs, a repetition
does nothing. A task has no variables: they lie in a file beside, which the command is told of.
It runs without a console, so the daemon logs to a file.
"""

import codecs
from collections.abc import Iterable
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import msgspec

from agent.service.interface import Unit
from agent.service.launch import Launch
from agent.settings import PREFIX

SCHEMA = "http://schemas.microsoft.com/windows/2004/02/mit/task"
"""The namespace of the Task Scheduler schema (MS-TSCH 2.5)."""

RESTARTS_MAX = 255
"""Most restarts that the schema allows (restartType, an unsigned byte)."""

PRIORITY = 7
"""Below normal, the least that leaves the disk usable (TaskSettings.Priority)."""

VARIABLES_FILE = "service.json"
"""Holds the task's variables, in the state folder."""


def unit(launch: Launch) -> Unit:
    """The task: Task Scheduler schema, version 1.2."""
    variables = launch.state_dir / VARIABLES_FILE
    log = launch.state_dir / "agent.log"
    usual = {} if launch.has_log_file else {f"{PREFIX}LOG_FILE": str(log)}
    program, *words = launch.command
    words += ["--variables", str(variables), "run"]
    task = _task(launch, program, words)
    indent(task)
    text = '<?xml version="1.0" encoding="UTF-16"?>\n' + tostring(task, encoding="unicode") + "\n"
    return Unit(
        "task_scheduler",
        Path(launch.state_dir, "service.xml"),
        # As the task scheduler itself writes them.
        codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
        beside={variables: msgspec.json.encode({**launch.environment, **usual})},
        logs=(log, log.with_name("agent.log.1")),
    )


def _task(launch: Launch, program: str, words: Iterable[str]) -> Element:
    task = Element("Task", {"version": "1.2", "xmlns": SCHEMA})
    _fill(
        SubElement(task, "RegistrationInfo"),
        Description="Build Parity: tells which Claude Code builds and settings this user runs",
    )
    _trigger(SubElement(task, "Triggers"), launch.user)
    principal = SubElement(SubElement(task, "Principals"), "Principal", {"id": "Author"})
    if launch.user:
        _fill(principal, UserId=launch.user)
    _fill(principal, LogonType="InteractiveToken", RunLevel="LeastPrivilege")
    _settings(SubElement(task, "Settings"))
    actions = SubElement(task, "Actions", {"Context": "Author"})
    _fill(SubElement(actions, "Exec"), Command=program, Arguments=" ".join(map(_quoted, words)))
    return task


def _trigger(triggers: Element, user: str) -> None:
    trigger = SubElement(triggers, "LogonTrigger")
    _fill(trigger, Enabled="true")
    _fill(SubElement(trigger, "Repetition"), Interval="PT10M")
    if user:
        _fill(trigger, UserId=user)


def _settings(settings: Element) -> None:
    _fill(SubElement(settings, "RestartOnFailure"), Interval="PT1M", Count=str(RESTARTS_MAX))
    _fill(
        settings,
        MultipleInstancesPolicy="IgnoreNew",
        DisallowStartIfOnBatteries="false",
        StopIfGoingOnBatteries="false",
        StartWhenAvailable="true",
        RunOnlyIfNetworkAvailable="false",
        Enabled="true",
        Hidden="true",
        RunOnlyIfIdle="false",
        WakeToRun="false",
        ExecutionTimeLimit="PT0S",
        Priority=str(PRIORITY),
    )


def _fill(parent: Element, **texts: str) -> None:
    for name, text in texts.items():
        SubElement(parent, name).text = text


def _quoted(word: str) -> str:
    # No path of Windows holds a quotation mark, and none of these ends with a backslash.
    return f'"{word}"' if " " in word else word
