"""What the README tells is what the code does."""

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

from agent import wire
from agent.commands.verdict import EXIT_CODES
from agent.settings import Settings as AgentSettings
from server.rules import rules
from server.settings import Settings as ServerSettings
from tests import support_table

TEXT = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines()]


def told(first: str) -> dict[str, list[str]]:
    """The rows of the table whose first heading is this, by their first cell."""
    begin = next(number for number, row in enumerate(ROWS) if row[0] == first and len(row) > 1)
    table = {}
    for row in ROWS[begin + 2 :]:
        if len(row) == 1:
            break
        table[row[0].strip("`")] = row[1:]
    return table


def test_every_rule_is_told() -> None:
    """The table of rule codes names those that exist, and no other."""
    assert set(told("rule code")) == {rule.code for rule in rules()}


def test_every_standing_is_told_with_its_exit_code() -> None:
    """Those that `check` has no code for exit with 1."""
    table = told("standing")
    assert set(table) == set(get_args(wire.Standing))
    assert {name: int(row[-1]) for name, row in table.items()} == {
        name: EXIT_CODES.get(name, 1) for name in table
    }


def test_every_variable_that_is_named_is_a_setting() -> None:
    """A name that the programs would refuse is not recommended."""
    for prefix, settings in (("PARITY_SERVER_", ServerSettings), ("PARITY_AGENT_", AgentSettings)):
        names = {each.name for each in fields(settings)} | {"enrol_secret"}
        named = {each.lower() for each in re.findall(prefix + r"([A-Z_]+[A-Z])", TEXT)}
        assert {each if each in names else each.removesuffix("_file") for each in named} <= names


def test_the_support_table_is_made_from_the_evidence() -> None:
    """Where it lags: python -m tests.support_table --write."""
    found = support_table.evidence()
    assert {row for row, _, _ in found} == set(support_table.ROWS)
    assert support_table.placed(TEXT, support_table.table(found)) == TEXT
