"""Build Parity's agent: tells which Claude Code bytes and settings one laptop has."""

__version__ = "0.1.0"
