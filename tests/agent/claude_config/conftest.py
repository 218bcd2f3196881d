"""A scratch machine: real files below a temporary folder, looked at by the live host."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.claude_config.overrides import ConfigFacts, examine
from agent.host import Host
from agent.platforms.linux import live


@dataclass(frozen=True)
class Machine:
    """A home and a system root to write into."""

    home: Path
    root: Path
    environment: dict[str, str]

    @property
    def host(self) -> Host:
        """The live host over them."""
        return live(home=self.home, system_root=self.root, environment=self.environment)

    def user(self, settings: object) -> None:
        """Write the user settings."""
        self.write(self.home / ".claude/settings.json", json.dumps(settings))

    def managed(self, settings: object, name: str = "managed-settings.json") -> None:
        """Write one managed settings file."""
        self.write(self.root / "etc/claude-code" / name, json.dumps(settings))

    def write(self, path: Path, text: str) -> None:
        """Write any file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def examine(self) -> ConfigFacts:
        """The facts of this machine's configuration."""
        return examine(self.host)


@pytest.fixture
def new_machine(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Machine]:
    """Make an empty machine whose user has a login shell."""

    def make(shell: str) -> Machine:
        folder = tmp_path_factory.mktemp("machine")
        home, root = folder / "home", folder / "root"
        home.mkdir()
        (root / "etc").mkdir(parents=True)
        return Machine(home, root, {"SHELL": f"/bin/{shell}"})

    return make


@pytest.fixture
def machine(new_machine: Callable[[str], Machine]) -> Machine:
    """An empty machine of a bash user."""
    return new_machine("bash")
