"""``python -m server`` is ``parity-server``, which also tells what an environment lacks.

Both programs are in every installation, each with its dependencies in an extra of its own: one
that was not asked for is told in two lines, and not as a fault in the program.
"""

import sys
from importlib import import_module

_OWN = frozenset({"agent", "server"}) | sys.stdlib_module_names


def main() -> None:
    """Runs the command line and exits."""
    try:
        import_module("server.cli").main()
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if not missing or missing in _OWN:
            raise
        sys.exit(
            f"parity-server: this environment lacks the server's parts: there is no {missing}\n"
            "what to do: install build-parity[server]"
        )


if __name__ == "__main__":
    main()
