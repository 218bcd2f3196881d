"""One module per way Claude Code gets onto a machine.

The package lists its own modules: each offers a ``METHOD`` (`interface.Method`), and a
new file is a new method, with nothing else to edit. The contract tests walk the same list.
What several methods share lies in the subpackages, which are no methods.
"""

import importlib
import pkgutil

from agent.discover.interface import Method

_NOT_METHODS = frozenset({"census", "interface", "launcher", "look", "search_path"})


def methods() -> tuple[Method, ...]:
    """All install methods, ordered by name.

    Raises:
        TypeError: A module of this package offers no ``METHOD``: a bug of ours.
    """
    found = []
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        if info.ispkg or info.name in _NOT_METHODS:
            continue
        method = getattr(importlib.import_module(f"{__name__}.{info.name}"), "METHOD", None)
        if not isinstance(method, Method):
            raise TypeError(f"agent/discover/{info.name}.py offers no METHOD")
        found.append(method)
    return tuple(found)
