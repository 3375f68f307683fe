"""docs/reliability.md says what was survived, and does not say more."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from tests.faults.document import FAULTS, write
from tests.faults.report import Result

GOOD = Result(1, "sink killed", 7, survived=True, events_sent=1200, oracles=["O1", "O3"], seconds_to_heal=2.5)


def document_of(*results: Result) -> str:
    """Write the document of these."""
    lines: list[dict[str, Any]] = [asdict(result) for result in results]
    return write(lines)


def rows_of(document: str, number: int) -> list[list[str]]:
    """The cells of a fault's rows."""
    rows = [line for line in document.splitlines() if line.startswith(f"| {number} |")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_all_faults_survived_are_said_to_be_so() -> None:
    document = document_of(*(replace(GOOD, fault=number) for number in range(1, FAULTS + 1)))
    assert f"{FAULTS} of {FAULTS} survived; " in document
    assert "Not run" not in document
    assert "**no**" not in document


def test_one_form_that_was_not_survived_counts_against_its_fault() -> None:
    document = document_of(GOOD, replace(GOOD, name="sink killed again", survived=False))
    assert f"0 of {FAULTS} survived" in document
    assert [cells[2] for cells in rows_of(document, 1)] == ["yes", "**no**"]


def test_one_seed_that_was_not_survived_counts_against_its_fault() -> None:
    document = document_of(GOOD, replace(GOOD, seed=8, survived=False), replace(GOOD, seed=9))
    assert f"0 of {FAULTS} survived; seeds 7, 8, 9" in document
    (cells,) = rows_of(document, 1)
    assert cells[2] == "**no**, 2 of 3"


def test_runs_with_several_seeds_are_summed_up_in_one_row() -> None:
    slower = replace(GOOD, seed=8, events_sent=800, seconds_to_heal=4.5, oracles=["O2"], duplicates_skipped=3)
    (cells,) = rows_of(document_of(GOOD, slower), 1)
    assert cells == ["1", "sink killed", "yes", "2,000", "O1 O2 O3", "0", "3", "0", "4.5 s", ""]


def test_faults_that_were_not_run_are_named() -> None:
    assert f"Not run: {', '.join(str(number) for number in range(2, FAULTS + 1))}." in document_of(GOOD)


def test_what_a_protection_is_for_is_shown_apart() -> None:
    harmed = replace(GOOD, unprotected="dedupe", differences=["O2: run x: expected 1, found 2"])
    restless = replace(GOOD, unprotected="outbox", fault=3, name="relay killed")
    narrow = replace(harmed, unprotected="read_committed:sink", fault=4, name="processor gone")
    document = document_of(GOOD, harmed, restless, narrow)
    assert "| dedupe | 1: sink killed | O2: run |" in document
    assert "| outbox | 3: relay killed | the pipeline did not come to rest |" in document
    assert "| read_committed of the sink | 4: processor gone | O2: run |" in document
    assert f"1 of {FAULTS} survived" in document


def test_without_unprotected_runs_nothing_is_said_of_protections() -> None:
    assert "protection" not in document_of(GOOD)


def test_the_whole_soak_has_a_part_of_its_own_and_the_short_one_a_row() -> None:
    short = replace(GOOD, fault=FAULTS, name="soak", scaled="60 s for 30 min", events_sent=24_000)
    whole = replace(short, scaled="", events_sent=1_800_263, compare_and_set_refused=10)
    document = document_of(short, whole)
    assert [cells[3] for cells in rows_of(document, FAULTS)] == ["24,000"]
    assert "Exact. 1,800,263 events" in document
    assert "(soak-memory.svg)" in document
    assert "soak-memory.svg" not in document_of(short)
    assert "Not survived" in document_of(short, replace(whole, survived=False))
