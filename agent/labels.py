"""A machine's name where nobody typed one: of its owner, its system and chance. Pure.

Neither the host's nor the user's name is asked for: they are not sent unless somebody typed
them.
"""

import re

RANDOM_DIGITS = 6
"""How many random hex digits a name may take."""

_OWNER_MAX = 60
_SECRET = re.compile(r"bp[a-z]_")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_SYSTEMS = {"darwin": "mac", "win32": "windows"}
_NOT_OF_A_WORD = re.compile(r"[^\w.@+-]+")


def made(owner: str | None, system: str, random: str) -> str:
    """A name such as ``kim-linux-3fa2``, or ``laptop-3fa2b1`` without an owner.

    Args:
        owner: As typed; what is neither letter, digit nor one of ``._@+-`` becomes a hyphen.
        system: As ``sys.platform`` names it.
        random: `RANDOM_DIGITS` hex digits.
    """
    word = _NOT_OF_A_WORD.sub("-", owner or "")[:_OWNER_MAX].strip("-")
    if not word:
        return f"laptop-{random}"
    return f"{word}-{_SYSTEMS.get(system, system)}-{random[:4]}"


def is_secret(typed: str) -> bool:
    """Whether what was typed begins as a secret or a token of a server does.

    One that was pasted at the wrong prompt would be shown to everybody who sees the machine.
    """
    return _SECRET.match(typed.strip()) is not None


def has_address(typed: str) -> bool:
    """Whether what was typed holds an e-mail address."""
    return _ADDRESS.search(typed) is not None
