"""``python -m server`` is ``parity-server``."""

from server.cli import main

main()
