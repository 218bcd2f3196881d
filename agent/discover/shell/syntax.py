"""Tokens to commands. Pure.

A recursive descent over what start files are made of. A text whose whole cannot be
understood is read line by line instead, and what is left over is told. The last texts are
remembered: each cycle reads the same start files, some of them more than once.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import ClassVar

from agent.discover.shell.tree import (
    AndOr,
    Apart,
    Assignment,
    Case,
    Command,
    For,
    Function,
    Group,
    If,
    Loop,
    Not,
    Script,
    Simple,
)
from agent.discover.shell.words import ShellSyntaxError, Token, tokens

_DEPTH_MAX = 40
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(?:\[[^]]*\])?(\+?=)(.*)\Z", re.DOTALL)
_ENDS = frozenset({"then", "elif", "else", "fi", "do", "done", "esac", "}"})
_SIMPLE_ENDS = frozenset(
    {";", "&", "&&", "||", "|", "|&", ")", ";;", ";&", ";;&", ";|", "&|", "&!"}
)


@lru_cache(maxsize=64)
def parse(text: str) -> Script:
    """The commands of a text; never raises, whatever the text is."""
    try:
        return Script(_Parser(tokens(text)).script())
    except ShellSyntaxError:
        return _line_by_line(text)


def _line_by_line(text: str) -> Script:
    commands: list[Command] = []
    leftover = []
    for line in text.splitlines():
        try:
            commands += _Parser(tokens(line)).script().commands
        except ShellSyntaxError:
            leftover.append(line)
    return Script(Group(tuple(commands)), tuple(leftover))


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._depth = 0
        self._groups = 0

    def script(self) -> Group:
        body = self._list()
        if self._at < len(self._tokens):
            raise ShellSyntaxError("an end without a beginning")
        return body

    def _peek(self, ahead: int = 0) -> Token | None:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else None

    def _is(self, kind: str, *texts: str) -> bool:
        token = self._peek()
        return token is not None and token.kind == kind and token.text in texts

    def _take(self, kind: str, *texts: str) -> bool:
        if self._is(kind, *texts):
            self._at += 1
            return True
        return False

    def _expect(self, kind: str, *texts: str) -> None:
        if not self._take(kind, *texts):
            raise ShellSyntaxError(f"{texts[0]} is missing")

    def _word(self) -> str:
        token = self._peek()
        if token is None or token.kind != "word":
            raise ShellSyntaxError("a word is missing")
        self._at += 1
        return token.text

    def _ends(self) -> None:
        while self._take("op", ";", "&", "&|", "&!"):
            pass

    def _list(self) -> Group:
        commands: list[Command] = []
        self._ends()
        while (token := self._peek()) and not self._at_end(token):
            commands.append(self._and_or())
            self._ends()
        return Group(tuple(commands))

    @staticmethod
    def _at_end(token: Token) -> bool:
        if token.kind == "op":
            return token.text in {")", ";;", ";&", ";;&", ";|"}
        return token.text in _ENDS

    def _and_or(self) -> Command:
        first = self._pipeline()
        rest = []
        while (token := self._peek()) and token.kind == "op" and token.text in {"&&", "||"}:
            self._at += 1
            self._newlines()
            rest.append((token.text, self._pipeline()))
        return AndOr(first, tuple(rest)) if rest else first

    def _newlines(self) -> None:
        while self._take("op", ";"):
            pass

    def _pipeline(self) -> Command:
        is_turned = False
        while self._take("word", "!"):
            is_turned = not is_turned
        stages = [self._command()]
        while self._take("op", "|", "|&"):
            self._newlines()
            stages.append(self._command())
        found = stages[0] if len(stages) == 1 else Apart(tuple(stages))
        return Not(found) if is_turned else found

    def _command(self) -> Command:
        self._depth += 1
        if self._depth > _DEPTH_MAX:
            raise ShellSyntaxError("nested too deep")
        found = self._one_command()
        self._depth -= 1
        return found

    def _one_command(self) -> Command:
        token = self._peek()
        if token is None:
            raise ShellSyntaxError("a command is missing")
        if token.kind == "op":
            self._expect("op", "(")
            body = self._list()
            self._expect("op", ")")
            return Apart(body.commands)
        if (method := self._COMPOUND.get(token.text)) is not None:
            self._at += 1
            return method(self)
        following = self._peek(1)
        if following == Token("op", "(") and self._peek(2) == Token("op", ")"):
            self._at += 3
            return self._function(token.text)
        return self._simple()

    def _simple(self) -> Simple:
        assignments: list[Assignment] = []
        words: list[str] = []
        while (token := self._peek()) and token.kind == "word":
            if words and token.text == "}" and self._groups:
                # zsh lets a brace close a group wherever a word may stand.
                break
            self._at += 1
            found = None if words else _ASSIGNMENT.match(token.text)
            if found:
                assignments.append(Assignment(found[1], found[2] == "+=", found[3]))
            else:
                words.append(token.text)
        if token and token.text not in _SIMPLE_ENDS | {"}"}:
            raise ShellSyntaxError("an operator that does not belong here")
        return Simple(tuple(assignments), tuple(words))

    def _function(self, name: str) -> Function:
        self._newlines()
        return Function(name, self._command())

    def _named_function(self) -> Function:
        name = self._word()
        if self._take("op", "("):
            self._expect("op", ")")
        return self._function(name)

    def _group(self) -> Group:
        self._groups += 1
        body = self._list()
        self._groups -= 1
        self._expect("word", "}")
        return body

    def _if(self) -> If:
        branches = []
        otherwise = None
        while True:
            condition = self._list()
            self._expect("word", "then")
            branches.append((condition, self._list()))
            if not self._take("word", "elif"):
                break
        if self._take("word", "else"):
            otherwise = self._list()
        self._expect("word", "fi")
        return If(tuple(branches), otherwise)

    def _for(self) -> For | Loop:
        name = self._word()
        self._newlines()
        words: list[str] = []
        if self._take("word", "in"):
            while (token := self._peek()) and token.kind == "word":
                words.append(self._word())
        self._ends()
        body = self._do()
        return For(name, tuple(words), body)

    def _do(self) -> Group:
        closing = "}" if self._take("word", "{") else "done"
        if closing == "done":
            self._expect("word", "do")
        body = self._list()
        self._expect("word", closing)
        return body

    def _while(self) -> Loop:
        self._list()
        return Loop(self._do())

    def _case(self) -> Case:
        word = self._word()
        self._newlines()
        self._expect("word", "in")
        arms = []
        self._newlines()
        while not self._take("word", "esac"):
            arms.append(self._arm())
            self._newlines()
        return Case(word, tuple(arms))

    def _arm(self) -> tuple[tuple[str, ...], Group]:
        self._take("op", "(")
        patterns = [self._word()]
        while self._take("op", "|"):
            patterns.append(self._word())
        self._expect("op", ")")
        body = self._list()
        if not self._take("op", ";;", ";&", ";;&", ";|") and not self._is("word", "esac"):
            raise ShellSyntaxError("a case's arm has no end")
        return tuple(patterns), body

    _COMPOUND: ClassVar[Mapping[str, Callable[["_Parser"], Command]]] = MappingProxyType(
        {
            "if": _if,
            "for": _for,
            "select": _for,
            "while": _while,
            "until": _while,
            "case": _case,
            "function": _named_function,
            "{": _group,
        }
    )
