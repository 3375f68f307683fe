"""A fault's line of the report holds what was counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import orjson

from tests.faults.report import VARIABLE, Result


def test_a_line_for_each_fault_is_added_to_the_report(tmp_path: Path) -> None:
    file = tmp_path / "new" / "report.jsonl"
    for fault in (1, 2):
        Result(fault, "a fault", 7, survived=fault == 1).write({VARIABLE: str(file)})
    lines = [orjson.loads(line) for line in file.read_bytes().splitlines()]
    assert [(line["fault"], line["survived"]) for line in lines] == [(1, True), (2, False)]


def test_a_fault_has_not_been_survived_until_it_is_said() -> None:
    assert not Result(1, "a fault", 7).survived


def test_without_a_file_there_is_no_report(tmp_path: Path) -> None:
    Result(1, "a fault", 7).write({})
    assert list(tmp_path.iterdir()) == []


def test_the_workers_own_counts_are_taken() -> None:
    result = Result(1, "a fault", 7)
    logged = {"duplicates_skipped": 5, "compare_and_set_refused": 2, "database_away": 3, "assigned": 9}
    result.count(Counter({**logged, "transaction_lost": 1, "transaction_aborted": 4}))
    assert (result.duplicates_skipped, result.compare_and_set_refused, result.database_away) == (5, 2, 3)
    assert result.transactions_lost == 5
