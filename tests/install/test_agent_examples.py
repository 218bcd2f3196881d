"""What `install/agent` shows is what the agent writes."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.service import launch, launchd, scheduled_task, systemd
from agent.service.launch import Launch

FOLDER = Path(__file__).resolve().parents[2] / "install" / "agent"

ADA = Launch(
    command=("/opt/build-parity/bin/parity-agent",),
    environment={"PARITY_AGENT_STATE_DIR": "/home/ada/.local/state/build-parity"},
    home=Path("/home/ada"),
    state_dir=Path("/home/ada/.local/state/build-parity"),
)
"""The user of the examples."""


def rendered() -> dict[str, str]:
    """Every example by its file's name; the task as text, since UTF-16 cannot be compared here."""
    mac = Path("/Users/ada")
    state = mac / "Library/Application Support/build-parity"
    told = {"PARITY_AGENT_STATE_DIR": str(state)}
    # Windows' paths are made where Windows' code runs: here the words are put in.
    windows = Launch(
        command=(r"C:\build-parity\Scripts\pythonw.exe", "-P", "-m", "agent"),
        environment={},
        home=Path("HOME"),
        state_dir=Path("STATE"),
        user=r"DESK\ada",
    )
    task = scheduled_task.unit(windows).body.decode("utf-16")
    folder = r"C:\Users\ada\AppData\Local\build-parity"
    return {
        "parity-agent.service": systemd.unit(ADA).body.decode(),
        "build-parity.agent.plist": launchd.unit(
            replace(ADA, environment=told, home=mac, state_dir=state)
        ).body.decode(),
        "task.xml": task.replace("STATE/", f"{folder}\\"),
    }


@pytest.mark.parametrize("name", sorted(rendered()))
def test_an_example_is_what_the_agent_writes(name: str) -> None:
    """To the character."""
    assert (FOLDER / name).read_text(encoding="utf-8") == rendered()[name]


def test_every_variable_that_a_service_takes_is_named() -> None:
    """An operator who sets one has to know that it counts."""
    read = (FOLDER / "README.md").read_text(encoding="utf-8")
    taken = launch.PROXY_VARIABLES | launch.TRUST_VARIABLES | launch.PLACE_VARIABLES
    assert {each for each in taken if f"`{each}`" not in read} == set()
