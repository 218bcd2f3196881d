"""``python -m agent``: the same as ``parity-agent``."""

from agent.cli import main

if __name__ == "__main__":
    main()
