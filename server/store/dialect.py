"""What differs between databases: the few expressions that SQLAlchemy does not unify.

Everything else in ``store`` is written once, in its expression language.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    Function,
    LargeBinary,
    Subquery,
    Table,
    Text,
    cast,
    func,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

Words = Text().with_variant(Text(collation="C"), "postgresql")
"""Text of a column: compared by its bytes, as in SQLite, whatever a database's language.

An index then means the same after the system's rules of languages changed
(https://www.postgresql.org/docs/current/collation.html).
"""


def upsert(table: Table) -> postgresql.Insert:
    """An INSERT that can say what to do ``on_conflict``; SQLite writes it alike."""
    return postgresql.insert(table)


def array_of(*columns: ColumnElement[Any]) -> FunctionElement[str]:
    """All rows of a query as one JSON text: an array of arrays."""
    return _Array(*columns)


def rows_of(
    array: BindParameter[str], columns: Mapping[str, type[TypeEngine[Any]]], name: str
) -> Subquery:
    """A table made of one parameter, so that one statement serves any number of rows.

    Args:
        array: JSON: an array of arrays, each with one value per column.
        columns: Names and types, in the arrays' order.
        name: Of the table within the statement.
    """
    value = _Elements(array).table_valued("value").c.value
    return select(
        *(
            _Item(value, place, kind()).label(column)
            for place, (column, kind) in enumerate(columns.items())
        )
    ).subquery(name)


def bytes_of(text: ColumnElement[str]) -> FunctionElement[bytes]:
    """The bytes of a text in UTF-8, where a driver could not be given them."""
    return _Bytes(text)


def can_ask_of_update(conn: Connection) -> bool:
    """Whether a query can go on with the rows that an UPDATE within it returns."""
    return conn.dialect.name == "postgresql"


def total(column: ColumnElement[int]) -> ColumnElement[int]:
    """The sum of whole numbers, 0 of none: PostgreSQL's own would be no whole number."""
    return cast(func.coalesce(func.sum(column), 0), BigInteger)


class _Array(FunctionElement[str]):
    type = Text()
    inherit_cache = True


class _Bytes(FunctionElement[bytes]):
    type = LargeBinary()
    inherit_cache = True


class _Elements(FunctionElement[Any]):
    inherit_cache = True


class _Item(FunctionElement[Any]):
    inherit_cache = False  # it is not only its clauses

    def __init__(self, value: ColumnElement[Any], place: int, kind: TypeEngine[Any]) -> None:
        super().__init__(value)
        self.place = place
        self.type = kind


@compiles(_Array, "sqlite")
def _(element: _Array, compiler: SQLCompiler, **options: Any) -> str:
    made: Function[str] = func.json_group_array(func.json_array(*element.clauses))
    return compiler.process(made, **options)


@compiles(_Array, "postgresql")
def _(element: _Array, compiler: SQLCompiler, **options: Any) -> str:
    made = func.coalesce(cast(func.json_agg(func.json_build_array(*element.clauses)), Text), "[]")
    return compiler.process(made, **options)


@compiles(_Bytes, "sqlite")
def _(element: _Bytes, compiler: SQLCompiler, **options: Any) -> str:
    (text,) = element.clauses
    return compiler.process(cast(text, LargeBinary), **options)


@compiles(_Bytes, "postgresql")
def _(element: _Bytes, compiler: SQLCompiler, **options: Any) -> str:
    (text,) = element.clauses
    return f"convert_to({compiler.process(text, **options)}, 'UTF8')"


@compiles(_Elements, "sqlite")
def _(element: _Elements, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(func.json_each(*element.clauses), **options)


@compiles(_Elements, "postgresql")
def _(element: _Elements, compiler: SQLCompiler, **options: Any) -> str:
    (array,) = element.clauses
    return compiler.process(func.jsonb_array_elements(cast(array, postgresql.JSONB)), **options)


@compiles(_Item, "sqlite")
def _(element: _Item, compiler: SQLCompiler, **options: Any) -> str:
    (value,) = element.clauses
    return f"json_extract({compiler.process(value, **options)}, '$[{element.place}]')"


@compiles(_Item, "postgresql")
def _(element: _Item, compiler: SQLCompiler, **options: Any) -> str:
    (value,) = element.clauses
    kind = compiler.dialect.type_compiler_instance.process(element.type)
    return f"CAST({compiler.process(value, **options)} ->> {element.place} AS {kind})"
