"""Variables that a shell's start files export, read as text. Pure: nothing is run.

It reads what a person writes by hand (``export NAME=value``, ``set -gx NAME value``) in
the order of the file, whatever condition stands around it. A value that only the shell
can know is None; a removed variable is empty, which to Claude Code is "not set".
"""

import re
from collections.abc import Iterator, Mapping

Exports = Mapping[str, str | None]

_TOKEN = re.compile(
    r"""(?P<skip>[ \t\r]+|(?<![^\s;&|()])\#[^\n]*)
    |(?P<end>[\n;&|(){}]+)
    |(?P<word>(?:'[^'\n]*'|"(?:\\.|[^"\\\n])*"|\\.|[^\s;&|()'"\\])+)
    |(?P<stray>.)""",
    re.VERBOSE,
)
_PIECE = re.compile(
    r"""'(?P<raw>[^'\n]*)'|"(?P<soft>(?:\\.|[^"\\\n])*)"|\\(?P<one>.)|(?P<bare>.)"""
)
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)\Z", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_HOME = re.compile(r"(\A~(?=/|\Z)|\$HOME\b|\$\{HOME\})")
_UNIVERSAL = re.compile(
    r"SETUVAR (?:--\S+ ){0,4}?--export (?:--\S+ ){0,4}([A-Za-z_][A-Za-z0-9_]*):(.*)"
)
_ENVIRONMENT = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)")


def posix(text: str, home: str) -> Exports:
    """What a file of sh, bash or zsh exports.

    Args:
        text: The file.
        home: What ``$HOME`` and a leading ``~`` stand for.
    """
    found: dict[str, str | None] = {}
    plain: dict[str, str | None] = {}
    for command in _commands(text):
        match command:
            case ["export", "-n", *names] | ["unset", *names]:
                found.update((name, "") for name in names if _NAME.match(name))
            case ["export", *words]:
                found.update(_exported(words, plain, home))
            case [("declare" | "typeset"), option, *words] if option[0] == "-" and "x" in option:
                found.update(_exported(words, plain, home))
            case _:
                set_here = dict(_assignments(command, home))
                plain.update(set_here)
                found.update((name, set_here[name]) for name in set_here if name in found)
    return found


def fish(text: str, home: str) -> Exports:
    """What a fish file exports; arguments as for `posix`."""
    found: dict[str, str | None] = {}
    for command in _commands(text):
        match command:
            case ["export", *words]:
                found.update(_exported(words, {}, home))
            case ["set", *words]:
                found.update(_fish_set(words, home))
    return found


def fish_universal(text: str, home: str) -> Exports:
    """What fish's own file of universal variables exports; arguments as for `posix`."""
    found = {}
    for line in text.splitlines():
        if match := _UNIVERSAL.match(line):
            found[match[1]] = None if "\\" in match[2] else _value(match[2], home)
    return found


def environment_file(text: str, _home: str) -> Exports:
    """What ``/etc/environment`` sets: no shell reads it, so nothing is expanded."""
    found = {}
    for line in text.splitlines():
        if match := _ENVIRONMENT.match(line.strip()):
            found[match[1]] = match[2].strip("\"'")
    return found


def _commands(text: str) -> Iterator[list[str]]:
    """The words of each simple command, quotes still on them."""
    words: list[str] = []
    for token in _TOKEN.finditer(text.replace("\\\n", "")):
        if token["word"]:
            words.append(token["word"])
        elif token["end"] and words:
            yield _unprefixed(words)
            words = []
    if words:
        yield _unprefixed(words)


def _unprefixed(words: list[str]) -> list[str]:
    opening = {"then", "do", "else", "if", "!", "and", "or", "begin"}
    start = next((at for at, word in enumerate(words) if word not in opening), len(words))
    return words[start:]


def _exported(words: list[str], plain: Exports, home: str) -> Iterator[tuple[str, str | None]]:
    for word in words:
        if match := _ASSIGNMENT.match(word):
            yield match[1], _value(match[2], home)
        elif word in plain:
            yield word, plain[word]


def _assignments(words: list[str], home: str) -> Iterator[tuple[str, str | None]]:
    """Plain assignments; ``NAME=value program`` sets it for that program alone."""
    pairs = [_ASSIGNMENT.match(word) for word in words]
    if all(pairs):
        yield from ((pair[1], _value(pair[2], home)) for pair in pairs if pair)


def _fish_set(words: list[str], home: str) -> Iterator[tuple[str, str | None]]:
    options = [word for word in words if word.startswith("-")]
    rest = [word for word in words if not word.startswith("-")]
    short = "".join(option for option in options if not option.startswith("--"))
    if not rest or not _NAME.match(rest[0]):
        return
    if "e" in short or "--erase" in options:
        yield rest[0], ""
    elif "x" in short or "--export" in options:
        yield rest[0], _value(" ".join(rest[1:]), home)


def _value(word: str, home: str) -> str | None:
    """A word without its quotes; None if a shell would put something else in its place."""
    text = "".join(_unquoted(piece) for piece in _PIECE.finditer(word))
    whole = _HOME.sub(lambda _match: home, text)
    return None if re.search(r"[$`]", whole) else whole


def _unquoted(piece: re.Match[str]) -> str:
    if piece["soft"] is not None:
        return re.sub(r"\\(.)", r"\1", piece["soft"])
    return piece["raw"] or piece["one"] or piece["bare"] or ""
