"""Figures in the hand-written pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import figures
from benchmarks.arithmetic import day_table

DOCS = Path(__file__).parents[3] / "docs"
_PAGE = "before\n\n<!-- figures: cost -->\nold\n<!-- end of figures -->\n\nafter\n"
_COST = {
    "B10": {
        "ours": 4.0,
        "cpu_seconds_per_million_events": {"processor": 30.0, "sink": 24.5},
        "wal_bytes_per_event": 800,
        "topics": {
            "run-events": {"records": 10, "plain_bytes": 400.0, "stored_bytes": 100.0},
            "runs": {"records": 9, "plain_bytes": 1000.0, "stored_bytes": 200.0},
        },
        "tables": {name: {"rows": 5, "bytes_per_row": 500} for name in ("run_event", "agent_run", "agent_run_log")}
        | {"scoring_outbox": {"rows": 5, "bytes_per_row": 1000}},
    }
}


def test_a_page_keeps_its_words_and_gets_new_figures() -> None:
    page = figures.fill(_PAGE, _COST)

    assert page.startswith("before\n")
    assert page.endswith("<!-- end of figures -->\n\nafter\n")
    assert "| processor | 30 |\n| sink | 24.5 |\n| **in all** | **54.5**: 18,349 events/s a core at most |" in page
    assert "old" not in page
    assert figures.fill(page, _COST) == page


def test_what_was_not_measured_says_so() -> None:
    assert figures.NOT_MEASURED in figures.fill(_PAGE, {})


def test_an_unknown_mark_is_an_error() -> None:
    with pytest.raises(KeyError):
        figures.fill("<!-- figures: nonsense -->\n<!-- end of figures -->", {})


@pytest.mark.parametrize("name", figures.PAGES)
def test_each_page_has_figures_and_only_known_ones(name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")

    assert "<!-- figures: " in text
    assert text.count("<!-- figures: ") == figures.fill(text, {}).count(figures.NOT_MEASURED)


def test_parts_add_up_to_the_whole() -> None:
    table = figures.parts({"profile": {"micros_per_event": {"sink": {"decode": 6.0, "make rows": 2.0}}}})

    assert "| decode | 6.0 | 75% |" in table
    assert "| **in all** | **8.0** |  |" in table


def test_growth_shows_rate_and_memory_by_runs_and_processors() -> None:
    rates = {"10,000 open runs": {"x1": 30_000, "x2": 40_000}}
    memory = {"10,000 open runs": {"x1": 150, "x2": 280}}

    table = figures.growth({"growth": {"events_per_second": rates, "processors_memory_mib": memory}})

    assert "|  | 1 processor | 2 processors |" in table
    assert "| 10,000 open runs | 30,000 events/s, 150 MiB | 40,000 events/s, 280 MiB |" in table


def test_limits_show_only_what_was_measured() -> None:
    table = figures.limits({"B1": {"ours": 118_000}, "B3": {"ours": 90_000, "peers": {}}})

    assert table.count("\n") == 3
    assert "118,000 events/s | B1 |" in table


def test_recovery_is_told_unless_it_failed() -> None:
    found = {"open_runs": 1_000_000, "changelog_records_written": 20_000_100, "processors": 2, "restore_seconds": 9.44}

    assert "| 9.4 s |" in figures.recovery({"B7": {"ours": 15.0, **found}})
    assert figures.recovery({"B7": {"error": "too slow"}}) == ""


def test_the_arithmetic_of_a_day_follows_from_what_was_measured() -> None:
    table = day_table(_COST)

    assert "| events a second, mean | 10⁹ / 86,400 s | 11,574 |" in table
    assert "| `run-events` a day, plain | 10⁹ x 400 B | 372.5 GiB |" in table
    # 34,722 events/s x 30 µs are 1.04 cores; at most 60 % busy that is two processes.
    assert "1.04 cores; / 0.6 | 2 |" in table
    assert "| audit rows of 30 days | x 30 | 13.6 TiB |" in table


def test_no_arithmetic_without_measurements() -> None:
    assert day_table({}) == ""


def test_a_server_of_this_machine_is_told_in_cores_and_a_worker_in_processes() -> None:
    cost = {**_COST["B10"], "cpu_seconds_per_million_events": {"relay": 0.2, "postgres": 60.0}}

    table = day_table({"B10": cost})

    assert "| `relay` processes, 2 at least | peak x 0.2 s / 10⁶ (B10) = 0.01 cores; / 0.6 | 2 |" in table
    assert "| cores of `postgres` | peak x 60 s / 10⁶ (B10) = 2.08 cores; / 0.6 | 4 |" in table
