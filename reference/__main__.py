"""`python -m reference write|check|tables`, for who works on Runledger (`make reference`, `make check`).

`tables` writes docs/reference/tables.md from the database that RUNLEDGER_POSTGRES names, which was migrated before.
"""

from __future__ import annotations

import sys

import psycopg

from reference import pages
from reference.tables import read_columns, tables_page
from runledger.schemas.settings import ConnectionSettings

_USAGE = "usage: python -m reference write|check|tables\n"


def main(arguments: list[str]) -> int:
    """Do it; return 1 where pages are stale, 2 where nobody knows what is wanted."""
    match arguments:
        case ["write"]:
            sys.stdout.write("".join(f"docs/{path}\n" for path in pages.write()))
        case ["check"]:
            complaints = [f"docs/{path} is not what the code says: make reference\n" for path in pages.stale()]
            sys.stderr.write("".join(complaints))
            return 1 if complaints else 0
        case ["tables"]:
            with psycopg.connect(ConnectionSettings().postgres) as connection:
                pages.TABLES.write_text(tables_page(read_columns(connection)), encoding="utf-8")
        case _:
            sys.stderr.write(_USAGE)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
