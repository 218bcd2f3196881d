"""An installed npm, asked for its registry: a program of its name answers in its place."""

import shutil
from pathlib import Path

import pytest

from server.releases.npm_command import registry_url


def _npm(folder: Path, script: str) -> dict[str, str]:
    """The variables of a machine on which npm is a script."""
    folder.mkdir()
    (folder / "npm").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "npm").chmod(0o755)
    return {"PATH": str(folder)}


def test_an_installed_npm_tells_its_registry(tmp_path: Path) -> None:
    """Its default is nowhere but in its code."""
    environment = _npm(
        tmp_path / "bin", 'test "$*" = "config get registry" && echo https://r.example/'
    )
    assert registry_url(environment, tmp_path) == "https://r.example/"


def test_npm_asks_no_network_and_keeps_no_log(tmp_path: Path) -> None:
    """Nor does it see the project in which the server was started."""
    script = 'echo "https://$npm_config_update_notifier.$npm_config_logs_max.example$PWD"'
    environment = _npm(tmp_path / "bin", script)
    assert registry_url(environment, tmp_path) == "https://false.0.example/"


@pytest.mark.parametrize(
    "script",
    [
        "echo undefined",
        "echo https://r.example; exit 1",
        "echo",
        "printf '\\377'",
        "yes | head -9999",
    ],
)
def test_an_answer_that_is_no_address_is_none(tmp_path: Path, script: str) -> None:
    """The registry is then as unknown as without npm."""
    environment = _npm(tmp_path / "bin", script)
    environment["PATH"] += f":{Path(shutil.which('head') or '').parent}"
    assert registry_url(environment, tmp_path) is None


def test_without_npm_there_is_no_answer(tmp_path: Path) -> None:
    """An npm that cannot be started counts as none."""
    assert registry_url({}, tmp_path) is None
    assert registry_url({"PATH": str(tmp_path)}, tmp_path) is None
    environment = _npm(tmp_path / "bin", "")
    (tmp_path / "bin/npm").write_bytes(b"\0 no program")
    assert registry_url(environment, tmp_path) is None
