"""What differs between databases: the few expressions that SQLAlchemy does not unify.

Everything else in ``store`` is written once, in its expression language.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Function, Subquery, Table, Text, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeEngine


def upsert(table: Table) -> sqlite.Insert:
    """An INSERT that can say what to do ``on_conflict``."""
    return sqlite.insert(table)


def array_of(*columns: ColumnElement[Any]) -> Function[str]:
    """All rows of a query as one JSON text: an array of arrays."""
    return func.json_group_array(func.json_array(*columns), type_=Text)


def rows_of(
    array: BindParameter[str], columns: Mapping[str, type[TypeEngine[Any]]], name: str
) -> Subquery:
    """A table made of one parameter, so that one statement serves any number of rows.

    Args:
        array: JSON: an array of arrays, each with one value per column.
        columns: Names and types, in the arrays' order.
        name: Of the table within the statement.
    """
    value = func.json_each(array).table_valued("value").c.value
    return select(
        *(
            func.json_extract(value, f"$[{place}]", type_=kind).label(column)
            for place, (column, kind) in enumerate(columns.items())
        )
    ).subquery(name)
