"""The simple commands that a start file's meaning hangs on: shell built-ins, and nvm.

Every other command is a program that would have been run: its answer is not known, and it
changes no variable.
"""

import posixpath
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import PurePath
from typing import Protocol

from agent.discover.interface import on_host
from agent.discover.shell import known
from agent.discover.shell.conditions import Answer, answer
from agent.discover.shell.expand import expand
from agent.discover.shell.globs import BLANK, ELSEWHERE, UNKNOWN, plain
from agent.discover.shell.state import State
from agent.discover.shell.tree import Assignment, Simple

_DECLARATION = re.compile(r"([A-Za-z_]\w*)(\+?=)(.*)\Z", re.DOTALL)
_HANDED_ON = re.compile(r"([A-Za-z_]\w*)(?:\+?=|\Z)")
_ZSH_HAS = re.compile(r"\(\(\s*\$\+commands\[([\w.-]+)\]\s*\)\)\Z")
_MODIFIERS = frozenset({"builtin", "command", "noglob", "nocorrect"})
_SHELLS = frozenset({"bash", "zsh", "fish", "nu", "elvish", "xonsh", "tcsh", "ksh"})
_ZSH_PLUGINS = {
    "asdf": 'PATH="${ASDF_DATA_DIR:-$HOME/.asdf}/shims:$PATH"',
    "brew": 'eval "$(brew shellenv)"',
    "mise": 'eval "$(mise activate zsh)"',
    "nodenv": 'eval "$(nodenv init -)"',
    "nvm": '. "${NVM_DIR:-$HOME/.nvm}/nvm.sh"',
}
# Prompts, completions and frameworks: big files that set no PATH of their own.
_NO_PATH = re.compile(
    r"complet|p10k|prompt|oh-my-bash\.sh|highlighting|suggestions|fzf|iterm2"
    r"|sdkman-init|path\.(?:bash|zsh)\.inc|vte.*\.sh|gawk\.sh"
)


class Follower(Protocol):
    """What built-ins need of the one who follows the files."""

    state: State

    def source(self, path: PurePath) -> Answer:
        """Follows a file."""
        ...

    def text(self, text: str) -> Answer:
        """Follows a text."""
        ...

    def call(self, name: str, arguments: Sequence[str]) -> Answer:
        """Follows a function."""
        ...

    def leave(self) -> Answer:
        """Obeys a ``return``."""
        ...


def follow(runner: Follower, command: Simple) -> Answer:
    """Follows one command that has words; assignments before it are its own."""
    words = list(command.words)
    while len(words) > 1 and words[0] in _MODIFIERS and not words[1].startswith("-"):
        words.pop(0)
    if words[0].startswith("(("):
        return _arithmetic(runner, words[0])
    name = plain(expand(words[0], runner.state))
    if name in runner.state.functions:
        return runner.call(name, [plain(expand(word, runner.state)) for word in words[1:]])
    row = _TABLE.get(name)
    return row(runner, words[1:]) if row else None


def _arithmetic(runner: Follower, word: str) -> Answer:
    asked = _ZSH_HAS.match(word)
    return _has(runner, [asked[1]]) if asked else None


def _has(runner: Follower, words: Sequence[str]) -> Answer:
    """``command -v NAME``, ``which NAME``, ``type NAME``."""
    name = plain(expand(words[-1], runner.state)) if words else ""
    if UNKNOWN in name or name.startswith("-"):
        return None
    if name in runner.state.functions or name in _TABLE:
        return True
    if name.startswith("/"):
        stat = runner.state.stat(name)
        return stat is not None and stat.executable
    return any(True for _ in runner.state.programs(name))


def _command(runner: Follower, words: Sequence[str]) -> Answer:
    return _has(runner, words) if words[:1] and words[0] in {"-v", "-V"} else None


def _yes(runner: Follower, words: Sequence[str]) -> Answer:
    del runner, words
    return True


def _no(runner: Follower, words: Sequence[str]) -> Answer:
    del runner, words
    return False


def _bracket(runner: Follower, words: Sequence[str]) -> Answer:
    closed = words[:-1] if words and words[-1] in {"]", "]]"} else words
    return answer(closed, runner.state, runner.state)


def _declare(runner: Follower, words: Sequence[str]) -> Answer:
    for word in words:
        if found := _DECLARATION.match(word):
            runner.state.assign(Assignment(found[1], found[2] == "+=", found[3]))
    if any(word[0] == "-" and "x" in word for word in words if word):
        _hand_on(runner, words)
    return True


def _export(runner: Follower, words: Sequence[str]) -> Answer:
    _declare(runner, words)
    if "-n" in words:
        for word in words:
            runner.state.exports.withdraw(word)
    else:
        _hand_on(runner, words)
    return True


def _hand_on(runner: Follower, words: Sequence[str]) -> None:
    for word in words:
        if found := _HANDED_ON.match(word):
            runner.state.exports.hand_on(found[1])


def _set(runner: Follower, words: Sequence[str]) -> Answer:
    """``set -a`` and ``set +a``: each variable set from here is handed on, or no more."""
    for option, following in pairwise((*words, "")):
        is_option = option[:1] in {"-", "+"} and option[1:].isalpha()
        if is_option and ("a" in option or following == "allexport"):
            runner.state.exports.all = option.startswith("-")
    return None


def _unset(runner: Follower, words: Sequence[str]) -> Answer:
    for word in words:
        if "-f" in words:
            runner.state.functions.pop(word, None)
        else:
            runner.state.variables.pop(word, None)
            runner.state.exports.withdraw(word)
    return True


def _alias(runner: Follower, words: Sequence[str]) -> Answer:
    for word in words:
        name, equals, value = plain(expand(word, runner.state)).partition("=")
        if equals:
            runner.state.aliases[name] = value
    return True


def _unalias(runner: Follower, words: Sequence[str]) -> Answer:
    for word in words:
        runner.state.aliases.pop(word, None)
    if "-a" in words:
        runner.state.aliases.clear()
    return True


def _source(runner: Follower, words: Sequence[str]) -> Answer:
    if not words:
        return False
    state = runner.state
    value = plain(expand(words[0], state))
    name = posixpath.basename(value)
    if name == "nvm.sh":
        return runner.text(known.nvm_start(state.site(), state.look, words[1:]))
    if name == "oh-my-zsh.sh":
        return _oh_my_zsh(runner, value)
    names = (name, posixpath.basename(words[0]))
    if any(_NO_PATH.search(each) for each in names) or ELSEWHERE in value:
        return None
    if words[0].startswith("<("):
        return _text(runner, state.output(words[0][2:-1]))
    path = on_host(state.host, value)
    if UNKNOWN in value:
        state.unknown_in_front()
    # A name without a folder is looked for on PATH: no start file lies there.
    return runner.source(path) if path is not None else None


def _oh_my_zsh(runner: Follower, script: str) -> Answer:
    """What the framework comes to: its plugins that set PATH, then the user's own files.

    Source: github.com/ohmyzsh/ohmyzsh, ``oh-my-zsh.sh`` and ``plugins``.
    """
    state = runner.state
    for plugin in (state.get("plugins") or "").split(BLANK):
        runner.text(_ZSH_PLUGINS.get(plugin, ""))
    custom = state.get("ZSH_CUSTOM") or posixpath.join(posixpath.dirname(script), "custom")
    folder = on_host(state.host, custom)
    names = state.look.names(folder, "the shell's own files") if folder is not None else ()
    for name in names:
        if folder is not None and name.endswith(".zsh"):
            runner.source(folder / name)
    return True


def _eval(runner: Follower, words: Sequence[str]) -> Answer:
    return _text(runner, " ".join(plain(expand(word, runner.state)) for word in words))


def _text(runner: Follower, text: str) -> Answer:
    if UNKNOWN in text:
        runner.state.unknown_in_front()
        return None
    return runner.text(text.replace(ELSEWHERE, ""))


def _emulate(runner: Follower, words: Sequence[str]) -> Answer:
    # zsh: emulate sh -c 'source /etc/profile'.
    if "-c" not in words[:-1]:
        return True
    return _eval(runner, words[list(words).index("-c") + 1 :])


def _exec(runner: Follower, words: Sequence[str]) -> Answer:
    program = posixpath.basename(plain(expand(words[0], runner.state))) if words else ""
    if program in _SHELLS:
        runner.state.look.problems["a start file goes on to another shell"] = None
    return None


def _return(runner: Follower, words: Sequence[str]) -> Answer:
    del words
    return runner.leave()


def _nvm(runner: Follower, words: Sequence[str]) -> Answer:
    if list(words[:1]) != ["use"]:
        return None
    state = runner.state
    wanted = [plain(expand(word, state)) for word in words[1:] if not word.startswith("-")]
    return runner.text(known.nvm_use(state.site(), state.look, *wanted[:1] or ["default"]))


_TABLE: dict[str, Callable[[Follower, Sequence[str]], Answer]] = {
    ".": _source,
    ":": _yes,
    "[": _bracket,
    "[[": _bracket,
    "alias": _alias,
    "command": _command,
    "declare": _declare,
    "emulate": _emulate,
    "eval": _eval,
    "exec": _exec,
    "exit": _return,
    "export": _export,
    "false": _no,
    "hash": _has,
    "local": _declare,
    "nvm": _nvm,
    "readonly": _declare,
    "return": _return,
    "set": _set,
    "source": _source,
    "test": _bracket,
    "true": _yes,
    "type": _has,
    "typeset": _declare,
    "unalias": _unalias,
    "unset": _unset,
    "which": _has,
}
