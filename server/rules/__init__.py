"""One module per rule, found by listing this folder: a new file is a new rule.

Each module offers a ``RULE`` (`interface.Rule`). The contract tests walk the same list.
"""

import functools
import importlib
import pkgutil

from server.rules.interface import Rule

_NOT_RULES = frozenset({"interface", "lateness"})


@functools.cache
def rules() -> tuple[Rule, ...]:
    """All rules, ordered by code.

    Raises:
        TypeError: A module of this package offers no ``RULE``: a bug of ours.
    """
    found = []
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        if info.name in _NOT_RULES:
            continue
        rule = getattr(importlib.import_module(f"{__name__}.{info.name}"), "RULE", None)
        if not isinstance(rule, Rule):
            raise TypeError(f"server/rules/{info.name}.py offers no RULE")
        found.append(rule)
    return tuple(found)
