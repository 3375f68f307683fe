from __future__ import annotations

import re
from pathlib import Path

import runledger.sinks
from runledger.sinks.statements import statement

_SINKS = Path(runledger.sinks.__file__).parent
_WRITES = re.compile(rb"\b(INSERT INTO|UPDATE \w+ AS|UPDATE scoring_outbox|DELETE FROM|COPY)\b")
_NAMED = re.compile(r'statement\("(\w+)"\)|_run\(connection, "(\w+)"')


def _names() -> list[str]:
    return sorted(path.stem for path in (_SINKS / "sql").glob("*.sql"))


def test_every_statement_is_named_by_a_verb_and_stands_alone() -> None:
    for name in _names():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", name)
        assert b";" not in re.sub(rb"--[^\n]*", b"", statement(name))


def test_only_the_writer_and_its_parts_name_statements_that_write() -> None:
    writing = {name for name in _names() if _WRITES.search(statement(name))}
    assert {"update_runs", "advance_positions", "mark_sent"} <= writing
    for path in _SINKS.glob("*.py"):
        if path.name not in {"writer.py", "run_tables.py", "offsets.py", "failure_groups.py"}:
            named = {first or second for first, second in _NAMED.findall(path.read_text())}
            assert not named & writing, path.name
            assert path.name == "loading.py" or "loading" not in path.read_text(), path.name
