"""A laptop with six copies of Claude Code, made of real packages.

The terminal starts the native one, the editor its extension's, an SDK its own; two npm packages
lie under Node.js versions that no shell puts on its PATH, and one is npm's unfilled
placeholder. Each lies where its method puts it (facts 1.1); programs are shared with the
cache by hard links, but for the extension's: one file would be one install.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.harness import Laptop
from tests.linked import laid, link

NATIVE, BEHIND, NODE_20 = "2.1.330", "2.1.329", "2.1.197"
"""What the native installer gives; the one before; what bare npm gives Node.js 20 (facts 1.3)."""

SDK = "0.2.187"
"""The Python SDK that brings 2.1.330 (facts 2.6)."""

_PACKAGE = Path("lib/node_modules/@anthropic-ai/claude-code")
_NODES = Path(".nvm/versions/node")


@dataclass(frozen=True)
class Packages:
    """Where real packages come from.

    Attributes:
        npm: A prefix with a release, and whether its install script was run.
        python_sdk: A Python environment's folder with an Agent SDK.
    """

    npm: Callable[..., Path]
    python_sdk: Callable[[str], Path]


def lay(laptop: Laptop, packages: Packages) -> None:
    """Puts the six copies into a laptop's home."""
    home = laptop.home
    program = packages.npm(NATIVE) / _PACKAGE / "bin/claude.exe"
    _native(home, program)
    laid(packages.npm(BEHIND), home / _NODES / "v22.11.0")
    laid(packages.npm(NODE_20), home / _NODES / "v20.19.0")
    _extension(home, program)
    laid(packages.python_sdk(SDK), home / ".venv")
    (home / ".venv" / "pyvenv.cfg").write_text("version = 3.11.7\n", encoding="utf-8")
    stub = laid(packages.npm(NATIVE, scripts=False), home / ".npm-global")
    # As npm leaves it with --omit=optional: nothing but the placeholder.
    shutil.rmtree(stub / _PACKAGE / "node_modules")
    (home / ".npmrc").write_text(f"prefix={home}/.npm-global\n", encoding="utf-8")
    (home / ".profile").write_text('PATH="$HOME/.local/bin:$PATH"\n', encoding="utf-8")


def _native(home: Path, program: Path) -> None:
    version = home / ".local/share/claude/versions" / NATIVE
    version.parent.mkdir(parents=True)
    link(program, version)
    launcher = home / ".local/bin/claude"
    launcher.parent.mkdir(parents=True)
    launcher.symlink_to(version)


def _extension(home: Path, program: Path) -> None:
    folder = home / ".vscode/extensions" / f"anthropic.claude-code-{NATIVE}-linux-x64"
    copy = folder / "resources/native-binary/claude"
    copy.parent.mkdir(parents=True)
    shutil.copy2(program, copy)
