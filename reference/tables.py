"""Every table and view with its columns, from a database's own catalogue: make it with `runledger migrate` first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import psycopg
from psycopg.rows import class_row

from reference.markdown import code, page, prose, section, table

_QUERY = (Path(__file__).parent / "sql" / "list_columns.sql").read_text(encoding="utf-8")
_INTRO = """
The ledger's tables are derived from the topics; projects, keys and webhooks are what commands said. Programs of yours
read with the role `runledger_read` ([Operations](../operations.md#who-may-read)); what it may not read, or only some
columns of, says so. Times are with time zone, costs in US dollars, unknown is NULL.
"""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table or a view.

    Args:
        relation: name of the table or view.
        is_view: which of both.
        about: comment on it.
        column_name: name of the column.
        type: as Postgres calls it.
        is_required: NULL is refused; of a view's columns Postgres does not know.
        preset: expression of the default.
        is_key: part of the primary key.
        meaning: comment on the column.
        is_readable: the whole relation is open to `runledger_read`.
    """

    relation: str
    is_view: bool
    about: str
    column_name: str
    type: str
    is_required: bool
    preset: str
    is_key: bool
    meaning: str
    is_readable: bool


def read_columns(connection: psycopg.Connection) -> list[Column]:
    """Read the catalogue."""
    with connection.cursor(row_factory=class_row(Column)) as cursor:
        return cursor.execute(_QUERY.encode()).fetchall()


def tables_page(columns: Sequence[Column]) -> str:
    """Write the page."""
    relations = [list(of) for _, of in groupby(columns, key=lambda column: column.relation)]
    parts = []
    for title, is_view in (("Views", True), ("Tables", False)):
        chosen = [of for of in relations if of[0].is_view == is_view]
        overview = table(
            ("name", "holds"), ([f"[`{of[0].relation}`](#{of[0].relation})", prose(of[0].about)] for of in chosen)
        )
        parts.append(section(2, title, overview, *(_relation(of) for of in chosen)))
    return page("Tables", _INTRO, *parts)


def _relation(columns: Sequence[Column]) -> str:
    first = columns[0]
    closed = "" if first.is_readable else "Not open to `runledger_read` as a whole."
    head = ("column", "type", "meaning") if first.is_view else ("column", "type", "null", "default", "meaning")
    return section(
        3, code(first.relation), prose(first.about), closed, table(head, (_row(column) for column in columns))
    )


def _row(column: Column) -> list[str]:
    told = [code(column.column_name), column.type]
    if not column.is_view:
        told += ["key" if column.is_key else "no" if column.is_required else "yes", code(column.preset)]
    return [*told, prose(column.meaning)]
