"""Packages of the shape and the size of real ones, made here: no benchmark needs a download.

What is in a program does not matter for reading and hashing it, but for its header and what it
says of its version; between the two lie zeros, which take no place on a disk.
"""

from pathlib import Path

from agent.testing import program_bytes
from tests.e2e import copies

PROGRAM_BYTES = 381_121_040
"""As of 2.1.330 (facts 1.5)."""

SMALL_BYTES = 1_000_000
"""So small that hashing it takes no memory of its own."""

_HEADER_BYTES = 4096
_PACKAGE = Path("lib/node_modules/@anthropic-ai/claude-code")


def program(path: Path, version: str, size: int = PROGRAM_BYTES) -> Path:
    """A program file; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = program_bytes("linux-x64", version)
    statement = made[_HEADER_BYTES:]
    with path.open("wb") as file:
        file.write(made[:_HEADER_BYTES])
        file.truncate(size - len(statement))
        file.seek(0, 2)
        file.write(statement)
    path.chmod(0o755)
    return path


def packages(folder: Path) -> copies.Packages:
    """What `tests.e2e.copies.lay` lays, each made when it is asked for."""

    def npm(version: str, *, scripts: bool = True) -> Path:
        prefix = folder / f"{version}-{'filled' if scripts else 'stub'}"
        package = prefix / _PACKAGE
        payload = package / "node_modules/@anthropic-ai/claude-code-linux-x64/claude"
        if not package.is_dir():
            program(payload, version)
            (package / "package.json").write_text(f'{{"version": "{version}"}}', encoding="utf-8")
            (package / "bin").mkdir()
            started = package / "bin" / "claude.exe"
            if scripts:
                started.hardlink_to(payload)
            else:
                started.write_text("not installed", encoding="utf-8")
        return prefix

    def python_sdk(version: str) -> Path:
        prefix = folder / f"sdk-{version}"
        bundled = prefix / "lib/python3.11/site-packages/claude_agent_sdk/_bundled"
        if not bundled.is_dir():
            program(bundled / "claude", copies.NATIVE)
            stated = f"{copies.NATIVE} (Claude Code)\n"
            (bundled / "claude.version").write_text(stated, encoding="utf-8")
        return prefix

    return copies.Packages(npm, python_sdk)
