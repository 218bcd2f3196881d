"""One key of ``keys.toml``: a setting, a variable, a flag or a kind of file. Pure.

What a key may tell of its value is decided here once, for every layer: a word of a closed
list, some of its words, a boolean, or a small number. No other text can become a told value.
"""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["setting", "variable", "flag", "file"]
KeyClass = Literal["behaviour", "personal", "secret", "cosmetic"]
Form = Literal["set", "boolean", "any", "number", "word", "words"]
Told = bool | int | float | str

NUMBER_MAX = 2_147_483_647
"""The largest number told: the largest that Claude Code documents (``API_TIMEOUT_MS``)."""

NUMBER_DECIMALS = 6
"""The most decimals told of a fraction: more could carry a secret."""

_NUMBER = re.compile(r"[+-]?[0-9][0-9_]{0,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?\Z")
# The environment variables page names 1, true, 0 and false; the row of DEBUG the others.
_ON = frozenset({"1", "true", "yes", "on"})
_OFF = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True)
class Key:
    """One setting, variable, flag or kind of file.

    Attributes:
        kind: Which of these.
        name: A setting's or variable's as written in a settings file, dots between nested names;
            a flag's without its dashes; ours for a kind of file.
        key_class: The override class, or ``cosmetic``.
        form: What of its value may be told.
        words: The values told, for the forms ``word`` and ``words``.
        default: The documented default; None where none is documented.
        takes_value: Of a flag: whether the word after it is its value.
    """

    kind: Kind
    name: str
    key_class: KeyClass
    form: Form = "set"
    words: frozenset[str] = frozenset()
    default: Told | None = None
    takes_value: bool = False

    def told(self, raw: object) -> Told | None:
        """What of a value may leave the laptop; None if only that it is set.

        Args:
            raw: The JSON value of a setting; the text of a variable or flag, or None where only
                the shell knows it, or there is none.
        """
        match self.form:
            case "word":
                return raw if isinstance(raw, str) and raw in self.words else None
            case "words":
                return self._some_words(raw)
            case "any":
                return True if raw else None
            case "boolean":
                return raw if isinstance(raw, bool) else self._switched(raw)
            case "number":
                return _small(self._number(raw))
            case _:
                return None

    def _some_words(self, raw: object) -> str | None:
        found = {word.strip() for word in raw.split(",")} if isinstance(raw, str) else set()
        return "-".join(sorted(found)) if found and found <= self.words else None

    def _switched(self, raw: object) -> bool | None:
        if self.kind == "setting" or not isinstance(raw, str):
            return None
        word = raw.strip().lower()
        return True if word in _ON else False if word in _OFF else None

    def _number(self, raw: object) -> float | None:
        if isinstance(raw, bool):
            return None
        if isinstance(raw, int | float):
            return raw
        # Claude Code reads 2e3 and 64_000 as numbers (environment variables page).
        is_text = self.kind != "setting" and isinstance(raw, str) and _NUMBER.match(raw.strip())
        return float(str(raw).strip().replace("_", "")) if is_text else None


def _small(number: float | None) -> int | float | None:
    if number is None or not abs(number) <= NUMBER_MAX or round(number, NUMBER_DECIMALS) != number:
        return None
    return int(number) if number == int(number) else number
