"""What `install/try` can be told. Pure."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

USAGE = """usage: install/try [--once] [--with-claude VERSION] [--registry URL]
       install/try --clean

Starts a server on this machine, enrols the machine, and prints its verdict; then keeps the
server up until Ctrl-C. All that it makes is in .try/.

  --once                  end after the verdict; the exit code tells it: 0 match, 10 drift,
                          11 pending, 12 unknown, 13 no install, 14 exempt; 1 failure, 2 usage
  --with-claude VERSION   put that public release ("latest" or a number) into a scratch home
                          and look at that one only; needs npm
  --registry URL          the npm registry to use; else npm's own setting
  --clean                 remove .try/ and all in it
"""

_VERSION = re.compile(r"latest|\d+\.\d+\.\d+", re.ASCII)


class UsageError(Exception):
    """The command line cannot be understood: one line."""


@dataclass(frozen=True)
class Options:
    """A command line.

    Attributes:
        once: End after the verdict.
        with_claude: ``latest`` or a number; None looks at the user's own home.
        registry: The npm registry's address, without a trailing slash.
        clean: Remove everything.
        help: Show the usage.
    """

    once: bool = False
    with_claude: str | None = None
    registry: str | None = None
    clean: bool = False
    help: bool = False


def parse(arguments: list[str]) -> Options:
    """Reads a command line.

    Raises:
        UsageError: A word that is none of ours, a value that is missing or cannot be used.
    """
    given: dict[str, str | bool] = {}
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if name in _VALUES:
            value = value if equals else next(words, "")
            given[name] = _VALUES[name](value)
        elif word in _SWITCHES:
            given[word] = True
        else:
            raise UsageError(f"{word} is not known: see install/try --help")
    if "--clean" in given and len(given) > 1:
        raise UsageError("--clean goes alone")
    return Options(
        once="--once" in given,
        with_claude=str(given["--with-claude"]) if "--with-claude" in given else None,
        registry=str(given["--registry"]) if "--registry" in given else None,
        clean="--clean" in given,
        help="--help" in given or "-h" in given,
    )


def _version(value: str) -> str:
    if not _VERSION.fullmatch(value):
        raise UsageError('--with-claude needs a version such as 2.1.240, or "latest"')
    return value


def _registry(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise UsageError("--registry needs an address such as https://npm.example.com")
    return value.rstrip("/")


_SWITCHES = frozenset({"--once", "--clean", "--help", "-h"})
_VALUES = {"--with-claude": _version, "--registry": _registry}
