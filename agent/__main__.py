"""``python -m agent`` is ``parity-agent``, which also tells what an environment lacks.

Both programs are in every installation, each with its dependencies in an extra of its own: one
that was not asked for is told in two lines, and not as a fault in the program.
"""

import sys
from importlib import import_module

_OWN = frozenset({"agent", "server"}) | sys.stdlib_module_names


def main() -> None:
    """Runs the command line and exits."""
    try:
        import_module("agent.cli").main()
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if not missing or missing in _OWN:
            raise
        sys.exit(
            f"parity-agent: this environment lacks the agent's parts: there is no {missing}\n"
            "what to do: install build-parity[agent]"
        )


if __name__ == "__main__":
    main()
