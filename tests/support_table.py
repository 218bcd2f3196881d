"""The README's support table, made from where the evidence comes from.

``python -m tests.support_table`` prints it, ``--write`` puts it into the README between its two
marks. A cell says the best that holds of a method on a system:

* ``supported``: a test judges what the real tool made, real packages and real programs: a test
  here is marked ``origin("npm", "real")``, or a recorded tree has the origin ``real``;
* ``real bytes``: a test puts real programs where the documentation says (``"bytes"``);
* ``expected``: a recorded tree after the documentation, not yet seen on such a system.
"""

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent
README = TESTS.parent / "README.md"
BEGINS, ENDS = "<!-- support: python -m tests.support_table --write -->", "<!-- end of support -->"

ROWS = {
    "native": "native installer",
    "npm": "npm, and every Node version of nvm, fnm and Volta",
    "pnpm": "pnpm",
    "bun": "bun",
    "yarn": "yarn 1",
    "homebrew": "Homebrew, both casks",
    "winget": "WinGet",
    "system_package": "system packages: dpkg, rpm, apk, pacman",
    "nix": "Nix",
    "version_manager": "mise, asdf",
    "legacy_local": "`~/.claude/local`",
    "editor_extension": "extensions of VS Code and its family",
    "desktop": "Claude Desktop's own copy",
    "agent_sdk": "Agent SDKs, of Python and npm",
    "search_path": "launchers, aliases and functions of a user's own",
    "sessions": "running sessions",
    "config": "settings, variables and files of the user",
    "managed": "managed configuration",
}
"""What each folder of recorded trees, and each mark, is called."""

SYSTEMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}
_WORDS = {"real": "supported", "bytes": "real bytes", "facts": "expected"}
_BEST_FIRST = tuple(_WORDS)

Evidence = tuple[str, str, str]
"""A row, a system and the kind of an origin."""


def evidence() -> frozenset[Evidence]:
    """All that there is; each recorded tree and each mark is one piece."""
    return frozenset((*_trees(), *_marks()))


def table(found: frozenset[Evidence]) -> list[str]:
    """The table's lines, in Markdown."""
    lines = ["| | " + " | ".join(SYSTEMS.values()) + " |", "|---" * (len(SYSTEMS) + 1) + "|"]
    for row, name in ROWS.items():
        cells = [
            _cell({kind for what, on, kind in found if (what, on) == (row, each)})
            for each in SYSTEMS
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def placed(text: str, lines: list[str]) -> str:
    """A text with these lines between the marks.

    Raises:
        ValueError: A mark is missing.
    """
    before, _, rest = text.partition(BEGINS)
    _, mark, after = rest.partition(ENDS)
    if not mark:
        raise ValueError(f"the README has no {BEGINS} and {ENDS}")
    return "\n".join([before + BEGINS, *lines, ENDS + after])


def _cell(kinds: set[str]) -> str:
    return next((_WORDS[kind] for kind in _BEST_FIRST if kind in kinds), "")


def _trees() -> Iterator[Evidence]:
    for path in sorted((TESTS / "golden" / "hosts").glob("*/*.toml")):
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
        yield path.parent.name, tree["host"]["system"], tree["origin"]["kind"]


def _marks() -> Iterator[Evidence]:
    # The marked tests run on Linux.
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.origin":
                row, kind = (ast.literal_eval(each) for each in node.args)
                yield row, "linux", kind


def main(arguments: list[str]) -> None:
    """Prints the table, or writes it into the README."""
    lines = table(evidence())
    if arguments == ["--write"]:
        README.write_text(placed(README.read_text(encoding="utf-8"), lines), encoding="utf-8")
    else:
        sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
