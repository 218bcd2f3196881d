"""Which variables a shell hands on to the programs that it starts, and which file set each.

A variable that was taken out, or is no longer handed on, is kept as an empty one: whatever gave
it to the shell, the programs do not have it.
"""

from collections.abc import Mapping
from pathlib import PurePath

from agent.discover.shell.globs import ELSEWHERE, UNKNOWN, plain


class Exports:
    """What is handed on, as far as the start files were followed.

    Attributes:
        file: The file that is followed now.
        all: Whether each variable that is set is handed on (``set -a``).
        partial: Variables with a part that no start file sets.
    """

    def __init__(self) -> None:
        self.file: PurePath | None = None
        self.all = False
        self.partial: set[str] = set()
        self._files: dict[str, PurePath | None] = {}
        self._withdrawn: dict[str, PurePath | None] = {}

    def assigned(self, name: str, *, is_whole: bool) -> None:
        """Notes that a variable was set.

        Args:
            name: The variable.
            is_whole: Whether every part of its value was known to the start files.
        """
        (self.partial.discard if is_whole else self.partial.add)(name)
        if self.all or name in self._files:
            self.hand_on(name)

    def hand_on(self, name: str) -> None:
        """Notes that a variable is handed on from here."""
        self._withdrawn.pop(name, None)
        self._files[name] = self.file

    def withdraw(self, name: str) -> None:
        """Notes that a variable is handed on no more."""
        self._files.pop(name, None)
        self._withdrawn[name] = self.file

    def by_file(self, variables: Mapping[str, str]) -> dict[PurePath, dict[str, str | None]]:
        """What each file hands on; None for a value that only the shell itself knows.

        Args:
            variables: All variables of the shell.
        """
        found: dict[PurePath, dict[str, str | None]] = {}
        for name, file in self._withdrawn.items():
            if file is not None:
                found.setdefault(file, {})[name] = ""
        for name, file in self._files.items():
            if file is not None and name in variables:
                found.setdefault(file, {})[name] = self._value(name, variables[name])
        return found

    def _value(self, name: str, value: str) -> str | None:
        is_known = name not in self.partial and UNKNOWN not in value and ELSEWHERE not in value
        return plain(value) if is_known else None
