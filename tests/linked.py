"""Trees laid out by hard links: a program of hundreds of megabytes is not copied for each test."""

import os
import shutil
from pathlib import Path


def laid(tree: Path, target: Path) -> Path:
    """A tree under another name, its files shared where the file system allows that."""
    return Path(shutil.copytree(tree, target, symlinks=True, copy_function=link))


def link(original: str | Path, copy: str | Path) -> None:
    """One file under another name, or a copy of it on another file system."""
    try:
        os.link(original, copy, follow_symlinks=False)
    except OSError:
        shutil.copy2(original, copy, follow_symlinks=False)
