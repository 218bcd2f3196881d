"""What all commands share: the settings as options, and how values are written."""

import functools
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

import click

from server import logs
from server import settings as settings_module
from server.policy_values import UNITS
from server.said import refused
from server.settings import Settings

P = ParamSpec("P")

PATH = click.Path(path_type=Path)
"""A path as an option."""

in_json = click.option("--json", "in_json", is_flag=True, help="Print JSON.")
"""Adds --json to a command."""

_LENGTH = re.compile(r"([0-9]{1,9})([smhd])")
_OPTIONS = ("host", "port", "tls_cert", "tls_key")


def with_settings(command: Callable[Concatenate[Settings, P], None]) -> Callable[P, None]:
    """Adds --settings and --data to a command, which then takes the settings first."""

    @click.option("--settings", "file", type=PATH, help="TOML file of settings.")
    @click.option("--data", type=PATH, help="Folder of the SQLite database.")
    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        given: dict[str, Any] = kwargs
        file, data = given.pop("file"), given.pop("data")
        options = {name: _absolute(given.pop(name)) for name in _OPTIONS if name in given}
        options["data_dir"] = _absolute(data)
        settings = settings_module.load(os.environ, file, options)
        logs.configure(settings.log_level)
        command(settings, *args, **kwargs)

    return run


def length_s(text: str) -> int:
    """A length of time that was given as ``--for``, in seconds.

    Raises:
        RequestRefused: 422 it is none.
    """
    found = _LENGTH.fullmatch(text)
    if found is None:
        raise refused("for", f"{text!r} is no length of time", "write it as in 12h or 14d")
    return int(found[1]) * UNITS[found[2]]


def check_done(what: str, identifier: str, listing: str, *, done: bool) -> None:
    """Ends the command if there was nothing to do it to.

    Raises:
        click.ClickException: `done` is false.
    """
    if not done:
        raise click.ClickException(
            f"no {what} with the id {identifier!r} holds; see parity-server {listing}"
        )


def _absolute(value: object) -> object:
    return value.absolute() if isinstance(value, Path) else value
