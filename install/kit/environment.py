"""A virtual environment that is made once and kept while its sources stay the same.

Beside the environment lies a note of what it was made from. When only the program changed,
only the program is installed again; when `pyproject.toml` or Python changed, all is.
The note is written last, so that an interrupted making is not taken for a finished one.
"""

import hashlib
import json
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from install.kit.commands import KitError, run
from install.kit.progress import Progress

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""

INSTALL_TIMEOUT_S = 1800
"""Seconds that one call of pip may take, on a slow line."""

_NOTE = "made-from.json"


def make(venv: Path, extras: str, progress: Progress, *, editable: bool, root: Path = ROOT) -> Path:
    """Makes the environment, or brings it up to date.

    Args:
        venv: Where.
        extras: Extras of the distribution, joined by commas.
        progress: Told of what takes time.
        editable: The environment runs the checkout itself, not a copy of it.
        root: The checkout.

    Returns:
        The folder of its commands.

    Raises:
        KitError: It could not be made.
    """
    commands = venv / ("Scripts" if sys.platform == "win32" else "bin")
    wish = {
        "needs": _digest([root / "pyproject.toml"], root) + f" {sys.version} [{extras}]",
        "program": "the checkout" if editable else _digest(_sources(root), root),
    }
    made = _read(venv / _NOTE)
    if made == wish:
        return commands
    (venv / _NOTE).unlink(missing_ok=True)
    target = ["--editable", f"{root}[{extras}]"] if editable else [f"{root}[{extras}]"]
    if made.get("needs") == wish["needs"]:
        target = ["--no-deps", "--force-reinstall", str(root)]
    else:
        with progress.step("making an environment"):
            _empty(venv)
    with progress.step("installing Build Parity into it"):
        _install(commands, target)
    (venv / _NOTE).write_text(json.dumps(wish), encoding="utf-8")
    return commands


def _empty(venv: Path) -> None:
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian ships it apart; asked only when needed
    except ImportError:
        name = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        raise KitError(f"this Python cannot make environments: apt install {name}") from None
    shutil.rmtree(venv, ignore_errors=True)
    venv.parent.mkdir(parents=True, exist_ok=True)
    run([sys.executable, "-m", "venv", venv], what="make the environment", timeout_s=300)


def _install(commands: Path, target: list[str]) -> None:
    run(
        [commands / "python", "-m", "pip", "install", "--quiet", "--no-input", *target],
        what="install Build Parity and what it needs",
        timeout_s=INSTALL_TIMEOUT_S,
    )


def _sources(root: Path) -> list[Path]:
    folders = (root / "agent", root / "server")
    files = (file for folder in folders for file in folder.rglob("*") if file.is_file())
    return [root / "pyproject.toml", *(file for file in files if file.suffix != ".pyc")]


def _digest(files: Iterable[Path], root: Path) -> str:
    total = hashlib.sha256()
    for file in sorted(files):
        body = hashlib.sha256(file.read_bytes()).hexdigest()
        total.update(f"{file.relative_to(root)} {body}\n".encode())
    return total.hexdigest()


def _read(note: Path) -> dict[str, str]:
    try:
        found = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # not made, or not made to the end: make it anew
    return dict(found)
