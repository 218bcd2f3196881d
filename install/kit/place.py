"""Where `install/try` keeps things: one folder in the checkout, held by one run at a time.

What a second run needs to change nothing is kept here: the port, the enrolment secret, the
viewer token (readable by their owner alone), the database, the scratch homes and what the
agent remembers of each machine.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from install.kit.commands import KitError


class Place:
    """The folder.

    Attributes:
        folder: Where it is.
        venv: The environment.
        data: The server's folder.
        log: What the server says.
        root: An empty folder that stands for the system of a scratch machine.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.venv = folder / "venv"
        self.data = folder / "data"
        self.log = folder / "server.log"
        self.root = folder / "root"

    def home(self, number: str) -> Path:
        """The scratch home of a release."""
        return self.folder / "homes" / number

    def machine(self, label: str) -> Path:
        """What is kept of a machine."""
        return self.folder / "machines" / label

    def note(self, name: str) -> Path:
        """One line that is kept from run to run."""
        return self.folder / name

    def keep(self, name: str, text: str) -> None:
        """Keeps one line, for this user alone; a line kept already is left as it is."""
        if self.kept(name) == text:
            return
        path = self.note(name)
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text + "\n")

    def kept(self, name: str) -> str | None:
        """A line kept earlier, or None."""
        try:
            return self.note(name).read_text(encoding="utf-8").strip() or None
        except FileNotFoundError:
            return None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the folder, made if need be, against a second run.

        Raises:
            KitError: Another run holds it.
        """
        self.folder.mkdir(mode=0o700, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise KitError("install/try is running here already: end it first") from None
            yield

    def clean(self) -> None:
        """Removes the folder and all in it.

        Raises:
            KitError: A run holds it, or something in it cannot be removed.
        """
        if not self.folder.exists():
            return
        with self.held():
            try:
                shutil.rmtree(self.folder)
            except OSError as error:
                raise KitError(f"cannot remove {error.filename}: {error.strerror}") from error
