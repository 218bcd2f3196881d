"""What npm's own configuration says of its registry, read as text.

npm is not run for it. The order is npm's (npm docs, "npmrc" and "config"): environment, the
user's file, the global file, npm's builtin file. A registry for the scope goes before the
general one, as it does for npm. A token is taken for the address that it is written for.
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

NPMRC_MAX_BYTES = 1_048_576
"""Largest npmrc that is read, in bytes."""

_SCOPE = "@anthropic-ai:registry"
_PREFIX = "npm_config_"
_VARIABLE = re.compile(r"\$\{([^}]{1,200})\}")


def registry_url(environment: Mapping[str, str], home: Path) -> str | None:
    """The registry that npm would ask for Claude Code; None where nothing names one.

    npm's built-in default is not among these: it is in npm's code, not its configuration.

    Args:
        environment: The variables of the process.
        home: The user's home folder.
    """
    layers = tuple(_layers(environment, home))
    return _first(layers, _SCOPE) or _first(layers, "registry")


def authorization(environment: Mapping[str, str], home: Path, url: str) -> str | None:
    """The ``Authorization`` header that npm would send to a registry; None for none.

    Args:
        environment: The variables of the process.
        home: The user's home folder.
        url: The registry. A token of one of the folders above it counts too.
    """
    layers = tuple(_layers(environment, home))
    parts = urlsplit(url)
    place = f"//{parts.netloc}{parts.path}".rstrip("/") + "/"
    while place != "//":
        if token := _first(layers, f"{place}:_authToken"):
            return f"Bearer {token}"
        if pair := _first(layers, f"{place}:_auth"):
            return f"Basic {pair}"
        place = place.rstrip("/").rpartition("/")[0] + "/"
    return None


def _first(layers: tuple[Mapping[str, str], ...], key: str) -> str | None:
    return next((layer[key] for layer in layers if layer.get(key)), None)


def _layers(environment: Mapping[str, str], home: Path) -> Iterator[Mapping[str, str]]:
    """The settings of each layer, strongest first."""
    variables = {
        name.lower().removeprefix(_PREFIX): value
        for name, value in environment.items()
        if name.lower().startswith(_PREFIX)
    }
    yield variables
    user = _read(Path(variables.get("userconfig") or home / ".npmrc"), environment)
    yield user
    npm = shutil.which("npm", path=environment.get("PATH", ""))
    prefix = variables.get("prefix") or user.get("prefix") or _prefix(npm)
    named = variables.get("globalconfig") or user.get("globalconfig")
    if named or prefix:
        yield _read(Path(named or f"{prefix}/etc/npmrc"), environment)
    if npm:
        # .../npm/bin/npm-cli.js, beside which npm's packager may have put a file
        yield _read(Path(npm).resolve().parent.parent / "npmrc", environment)


def _prefix(npm: str | None) -> str | None:
    return str(Path(npm).parent.parent) if npm else None


def _read(path: Path, environment: Mapping[str, str]) -> Mapping[str, str]:
    """One file's settings; a file that cannot be read has none, as for npm."""
    try:
        with path.open("rb") as file:
            text = file.read(NPMRC_MAX_BYTES).decode(errors="replace")
    except OSError:
        return {}
    settings = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not key.lstrip().startswith((";", "#")):
            settings[key.strip()] = _expanded(value.strip().strip("\"'"), environment)
    return settings


def _expanded(value: str, environment: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: environment.get(match[1], match[0]), value)
