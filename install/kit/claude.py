"""A public release of Claude Code, put from npm into a scratch home.

npm gets the scratch home as its home, so that neither it nor the package's install script
can touch the user's; it is still told where the user's npm settings and cache are, since a
company's registry and certificates stand there. The package's install script is run: without
it there is only a stub (facts 1.3). Nothing of Claude Code is started.
"""

import os
import re
import shutil
from pathlib import Path

from install.kit.commands import KitError, run
from install.kit.progress import Progress

PACKAGE = "@anthropic-ai/claude-code"

ASK_TIMEOUT_S = 60
"""Seconds that a question to npm may take."""

INSTALL_TIMEOUT_S = 1800
"""Seconds that the download of a release may take (some 120 MB)."""

_REGISTRY = ("@anthropic-ai:registry", "registry")
_NUMBER = re.compile(r"\d+\.\d+\.\d+", re.ASCII)
_PROFILE = 'PATH="$HOME/.npm-global/bin:$PATH"\n'


def registry(given: str | None) -> str | None:
    """The npm registry to use: the one given, else npm's own setting, else None."""
    if given or not shutil.which("npm"):
        return given
    try:
        scoped, general = (_ask("config", "get", name).strip() for name in _REGISTRY)
    except KitError:
        return None  # npm is there and does not work; the server can do without it
    return (general if scoped == "undefined" else scoped).rstrip("/") or None


def release(wanted: str, source: str | None) -> str:
    """The number of a release: what npm calls latest now, or the number itself.

    Args:
        wanted: ``latest`` or a number.
        source: The registry's address.

    Raises:
        KitError: There is no npm, or it cannot tell.
    """
    if wanted != "latest":
        return wanted
    _need_npm()
    number = _ask("view", f"{PACKAGE}@latest", "version", *_registry_option(source)).strip()
    if not _NUMBER.fullmatch(number):
        raise KitError("npm knows no latest release: name a registry with --registry URL")
    return number


def install(number: str, home: Path, source: str | None, progress: Progress) -> None:
    """Puts a release into a home of its own, unless it is there already.

    The home is made beside its place and moved there whole, so that a download that was
    broken off is not taken for a release.

    Raises:
        KitError: There is no npm, or the release cannot be installed.
    """
    if home.exists():
        return
    _need_npm()
    unfinished = home.with_name(f"{home.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    with progress.step(f"installing Claude Code {number} from npm into a scratch home"):
        run(
            [
                *("npm", "install", "--global", "--prefix", unfinished / ".npm-global"),
                *("--ignore-scripts=false", f"--allow-scripts={PACKAGE}"),
                *("--no-audit", "--no-fund", "--loglevel=error"),
                *_registry_option(source),
                f"{PACKAGE}@{number}",
            ],
            what=f"install Claude Code {number} with npm (is the number public?)",
            timeout_s=INSTALL_TIMEOUT_S,
            cwd=unfinished,
            environment=_environment(unfinished),
        )
    (unfinished / ".profile").write_text(_PROFILE, encoding="utf-8")
    unfinished.rename(home)


def _environment(home: Path) -> dict[str, str]:
    keep = {name: _ask("config", "get", name).strip() for name in ("userconfig", "cache")}
    options = {f"npm_config_{name}": value for name, value in keep.items()}
    return os.environ | options | {"HOME": str(home), "npm_config_update_notifier": "false"}


def _need_npm() -> None:
    if not shutil.which("npm"):
        raise KitError("--with-claude needs npm, and there is none on PATH: install Node.js")


def _ask(*words: str) -> str:
    return run(["npm", *words], what="ask npm", timeout_s=ASK_TIMEOUT_S)


def _registry_option(source: str | None) -> list[str]:
    return [f"--{name}={source}" for name in _REGISTRY] if source else []
