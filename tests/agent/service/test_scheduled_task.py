"""The scheduled task of Windows, against the Task Scheduler schema."""

from xml.etree import ElementTree as ET

import msgspec
import pytest

from agent.service import scheduled_task
from agent.service.interface import Unit
from agent.service.launch import Launch
from agent.service.scheduled_task import SCHEMA

CHILDREN = {
    "Task": {"RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"},
    "RegistrationInfo": {"Description"},
    "Triggers": {"LogonTrigger"},
    "LogonTrigger": ["Enabled", "Repetition", "UserId"],
    "Repetition": {"Interval"},
    "Principals": {"Principal"},
    "Principal": {"UserId", "LogonType", "RunLevel"},
    "Settings": {
        "RestartOnFailure",
        "MultipleInstancesPolicy",
        "DisallowStartIfOnBatteries",
        "StopIfGoingOnBatteries",
        "StartWhenAvailable",
        "RunOnlyIfNetworkAvailable",
        "Enabled",
        "Hidden",
        "RunOnlyIfIdle",
        "WakeToRun",
        "ExecutionTimeLimit",
        "Priority",
    },
    "RestartOnFailure": {"Interval", "Count"},
    "Actions": {"Exec"},
    "Exec": {"Command", "Arguments"},
}
"""Of the schema (MS-TSCH 2.5): the elements used here. A list where it wants an order, since
a trigger's own elements follow those of every trigger; a set where any order will do."""


@pytest.fixture
def unit(launch: Launch) -> Unit:
    """The task of a scratch user."""
    return scheduled_task.unit(launch)


@pytest.fixture
def task(unit: Unit) -> ET.Element:
    """The task as the scheduler reads it."""
    return ET.fromstring(unit.body)  # noqa: S314 - it is our own


def text(task: ET.Element, name: str) -> str:
    """What the one element of a name holds."""
    (found,) = task.iter(f"{{{SCHEMA}}}{name}")
    return found.text or ""


def test_every_element_is_one_of_the_schema_in_its_place(task: ET.Element) -> None:
    """Each at most once, in the schema's namespace, in order where there is one."""
    for parent in task.iter():
        names = [each.tag.removeprefix(f"{{{SCHEMA}}}") for each in parent]
        allowed = CHILDREN.get(parent.tag.removeprefix(f"{{{SCHEMA}}}"), set())
        assert len(names) == len(set(names))
        if isinstance(allowed, list):
            assert names == allowed
        else:
            assert set(names) <= set(allowed)


def test_values_lie_within_the_schemas_bounds(task: ET.Element) -> None:
    """The count is an unsigned byte, the interval a minute at least, the priority 0 to 10."""
    assert 1 <= int(text(task, "Count")) <= 255
    assert 0 <= int(text(task, "Priority")) <= 10
    assert text(task, "LogonType") == "InteractiveToken"
    assert text(task, "RunLevel") == "LeastPrivilege"
    assert text(task, "MultipleInstancesPolicy") == "IgnoreNew"


def test_it_runs_as_long_as_its_user_is_signed_in(task: ET.Element) -> None:
    """On battery too, without a limit of time, and begun again when it has ended."""
    assert text(task, "ExecutionTimeLimit") == "PT0S"
    assert text(task, "StopIfGoingOnBatteries") == "false"
    assert text(task, "DisallowStartIfOnBatteries") == "false"
    users = [each.text for each in task.iter(f"{{{SCHEMA}}}UserId")]
    assert users == ["DESK\\ada", "DESK\\ada"]


def test_its_variables_lie_beside_it(launch: Launch, unit: Unit, task: ET.Element) -> None:
    """A task has none of its own; the log is a file, since there is no console."""
    ((path, body),) = unit.beside.items()
    assert str(path) in text(task, "Arguments")
    log = str(launch.state_dir / "agent.log")
    assert msgspec.json.decode(body) == {**launch.environment, "PARITY_AGENT_LOG_FILE": log}


def test_it_is_written_as_the_scheduler_writes_its_own(unit: Unit) -> None:
    """UTF-16 with a mark, and a declaration that says so."""
    assert unit.body.startswith(b"\xff\xfe")
    assert unit.body.decode("utf-16").startswith('<?xml version="1.0" encoding="UTF-16"?>')
