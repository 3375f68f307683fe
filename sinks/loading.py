"""Many rows into one table at once, by COPY.

Rows of many columns cost Postgres half of what they cost as JSON. Those that are not simply inserted go through a table
of the connection's own (sql/open_incoming_*.sql), from which a statement takes them within the same transaction.
"""

from __future__ import annotations

from functools import cache

import psycopg
from psycopg import sql


def load(connection: psycopg.Connection, table: str, columns: tuple[str, ...], text: bytes) -> None:
    """Copy rows into a table.

    Args:
        connection: within the transaction that the rows belong to.
        table: name of ours, not a caller's.
        columns: of the table, in the order of each row's values.
        text: of `copy_text`, whole: of a process stopped within COPY, no timeout of the server's frees the rows.

    Raises:
        psycopg.Error: a value does not fit its column.
    """
    if text:
        with connection.cursor() as cursor, cursor.copy(_copy_into(table, columns)) as copy:
            copy.write(text)


@cache
def _copy_into(table: str, columns: tuple[str, ...]) -> sql.Composed:
    # Names of tables and columns cannot be parameters.
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
