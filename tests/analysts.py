"""The questions of docs/analysts.md, asked of the demo's data.

`python -m tests.analysts` writes the answers into the page.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import pq

from runledger.schemas.settings import ConnectionSettings
from runledger.sinks.migrate import migrate
from runledger.sinks.verify import verify
from tests import documents
from tests.e2e.pipeline import pipeline, wait_for
from tests.servers import own_database, own_topics, running_servers

_RUNS = 94
"""Of the three files that the page replays: 40, 37 and 17."""
_SECONDS = 240
_NUMBERS = {20, 21, 23, 700, 701, 1700}
"""Types that psql sets to the right: int8, int2, int4, float4, float8, numeric."""
_ANSWERED = re.compile(r"(```sql\n.*?```\n+```text\n)(.*?)(```\n)", re.DOTALL)


@contextmanager
def told_tables(kafka: str, postgres: str, folder: Path) -> Iterator[str]:
    """Tell the page's data to a pipeline of its own, and give the URI of the tables.

    Args:
        kafka: where a broker is.
        postgres: where databases may be made.
        folder: for logs and the command.
    """
    with own_topics(kafka, postgres) as topics, own_database(postgres) as uri:
        migrate(uri)
        settings = topics.model_copy(update={"postgres": uri})
        with pipeline(settings, folder):
            _replay(settings, folder)
            with psycopg.connect(uri, autocommit=True) as connection:
                wait_for("every run's score", lambda: _scored(connection) == _RUNS, _SECONDS)
                wait_for("a clean recount", lambda: verify(connection).clean, 60)
        yield uri


def _replay(settings: ConnectionSettings, folder: Path) -> None:
    """Run the page's commands as they stand there."""
    command = folder / "runledger"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m runledger "$@"\n')
    command.chmod(0o755)
    own = os.environ | {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "RUNLEDGER_KAFKA": settings.kafka,
        "RUNLEDGER_POSTGRES": settings.postgres,
        "RUNLEDGER_TOPIC_PREFIX": settings.topic_prefix,
        "RUNLEDGER_PARTITIONS": str(settings.partitions),
    }
    script = documents.example("docs/analysts.md", "bash")
    subprocess.run(["sh", "-ec", script], env=own, cwd=documents.ROOT, check=True, timeout=_SECONDS)


def _scored(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT count(rlhf_scores) FROM agent_run_log").fetchone()
    return 0 if row is None else int(row[0])


def read_as_analyst(uri: str) -> psycopg.Connection:
    """Connect as one who may read and nothing else."""
    connection = psycopg.connect(uri, autocommit=True)
    connection.execute("SET ROLE runledger_read")
    connection.execute("SET TIME ZONE 'UTC'")
    return connection


def answer(connection: psycopg.Connection, question: str) -> str:
    """Ask, and return what psql would print with `--pset=null=NULL`, without spaces at the ends of lines."""
    cursor = connection.execute(question.encode())
    result, columns = cursor.pgresult, cursor.description
    assert result is not None
    assert columns is not None
    rows = [[_text(result, row, column) for column in range(len(columns))] for row in range(result.ntuples)]
    names = [column.name for column in columns]
    widths = [max(map(len, told)) for told in zip(names, *rows, strict=True)]
    to_the_right = [column.type_code in _NUMBERS for column in columns]
    aligned = [
        [
            value.rjust(width) if right else value.ljust(width)
            for value, width, right in zip(row, widths, to_the_right, strict=True)
        ]
        for row in rows
    ]
    heads = [_centred(name, width) for name, width in zip(names, widths, strict=True)]
    lines = [_line(heads), "+".join("-" * (width + 2) for width in widths), *map(_line, aligned)]
    return "\n".join([*lines, f"({len(rows)} row{'' if len(rows) == 1 else 's'})", ""])


def _text(result: pq.abc.PGresult, row: int, column: int) -> str:
    value = result.get_value(row, column)
    return "NULL" if value is None else value.decode()


def _centred(name: str, width: int) -> str:
    left = (width - len(name)) // 2
    return " " * left + name + " " * (width - len(name) - left)


def _line(cells: Iterable[str]) -> str:
    return (" " + " | ".join(cells)).rstrip()


def renew(page: str, answers: Iterable[str]) -> str:
    """Return the page with these answers in the order of its questions."""
    new = iter(answers)
    return _ANSWERED.sub(lambda found: found[1] + next(new) + found[3], page)


def main() -> None:
    """Ask each question, and write the answers into the page."""
    with (
        running_servers() as servers,
        tempfile.TemporaryDirectory() as folder,
        told_tables(servers.kafka, servers.postgres, Path(folder)) as uri,
        read_as_analyst(uri) as connection,
    ):
        answers = [answer(connection, question) for question in documents.examples("docs/analysts.md", "sql")]
    page = documents.ROOT / "docs" / "analysts.md"
    page.write_text(renew(page.read_text(encoding="utf-8"), answers), encoding="utf-8")


if __name__ == "__main__":
    main()
