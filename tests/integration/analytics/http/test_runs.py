"""What the read API says of runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.integration.analytics.http.serving import Asker
from tests.integration.analytics.http.telling import AGENT, BEGAN, ERROR, LARGE, LARGE_BYTES, RUNS, SLASHED, acme_run

pytestmark = pytest.mark.integration

SORTS = ["heard_at", "ended_at", "cost_usd", "total_tokens"]


def key_of(run: dict[str, Any], column: str) -> Any:  # noqa: ANN401  # any type that orders
    value = run[column]
    return float(value) if column == "cost_usd" and value is not None else value


def test_runs_are_listed_with_what_is_known_of_them(acme: Asker) -> None:
    page = acme.told("runs")
    assert page["next_cursor"] is None
    assert len(page["runs"]) == RUNS + 1
    by_id = {run["run_id"]: run for run in page["runs"]}
    first = by_id[str(acme_run(0))]
    assert (first["status"], first["outcome"], first["agent_id"], first["kind"]) == (
        "completed",
        "success",
        AGENT,
        "lifecycle",
    )
    assert (first["cost_usd"], first["cost_source"], first["models"]) == ("0.1", "reported", ["m-1"])
    assert first["started_at"] == BEGAN.isoformat().replace("+00:00", "Z")
    running = by_id[str(acme_run(9))]
    assert (running["status"], running["outcome"], running["ended_at"], running["score"]) == (
        "running",
        None,
        None,
        None,
    )
    assert (running["cost_usd"], running["total_tokens"], running["silent"]) == (None, None, None)


@pytest.mark.parametrize("column", SORTS)
@pytest.mark.parametrize("sign", ["-", ""])
@pytest.mark.parametrize("limit", [1, 3, 10])
def test_every_sort_walks_each_run_once_in_order_and_the_unknown_last(
    acme: Asker, column: str, sign: str, limit: int
) -> None:
    runs = acme.walk("runs", "runs", sort=sign + column, limit=limit)
    assert len({run["run_id"] for run in runs}) == len(runs) == RUNS + 1
    known = [key_of(run, column) for run in runs if run[column] is not None]
    assert known == sorted(known, reverse=sign == "-")
    assert all(run[column] is None for run in runs[len(known) :])
    assert len(known) < len(runs) or column == "heard_at"


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({"status": "running"}, {9}),
        ({"status": "failed"}, {3, 4, 5}),
        ({"outcome": "partial"}, {8}),
        ({"kind": "record"}, {7}),
        ({"kind": "log"}, {6, 8}),
        ({"agent_id": SLASHED}, {8}),
        ({"agent_id": f"  {SLASHED} "}, {8}),
        ({"agent_id": "unknown"}, set()),
        ({"task_id": "task-1", "status": "completed"}, {1}),
        ({"parent_run_id": acme_run(0), "outcome": "success"}, {1, 2}),
        ({"silent": "true"}, {6}),
        ({"silent": "false", "kind": "log"}, {8}),
        ({"since": "2999-01-01T00:00:00Z"}, set()),
        ({"until": "1999-01-01T00:00:00+02:00"}, set()),
    ],
)
def test_filters_leave_what_they_say(acme: Asker, wanted: dict[str, object], numbers: set[int]) -> None:
    runs = acme.told("runs", **wanted)["runs"]
    assert {run["run_id"] for run in runs} == {str(acme_run(number)) for number in numbers}


def test_a_span_of_time_holds_its_start_and_not_its_end(acme: Asker) -> None:
    runs = acme.walk("runs", "runs", sort="heard_at")
    since, until = runs[2]["heard_at"], runs[5]["heard_at"]
    within = acme.told("runs", sort="heard_at", since=since, until=until)["runs"]
    assert [run["run_id"] for run in within] == [run["run_id"] for run in runs[2:5]]


def test_one_run_has_its_log_row_and_its_failures(acme: Asker) -> None:
    run = acme.told(f"runs/{acme_run(5)}")
    assert (run["status"], run["failure_count"], run["consecutive_failure_count"]) == ("failed", 1, 3)
    assert [failure["error"] for failure in run["failures"]] == [ERROR]
    assert run["actions_taken"] == {"summary": "acme gave up"}
    assert (run["log"]["status"], run["log"]["action_summary"], run["log"]["rlhf_scores"]) == (
        "failed",
        "acme gave up",
        None,
    )
    assert datetime.fromisoformat(run["ended_at"]) == BEGAN + timedelta(hours=25, minutes=2)
    assert acme.told(f"runs/{acme_run(9)}")["log"] is None


def test_a_run_is_found_however_its_id_is_written(acme: Asker) -> None:
    assert acme.told(f"runs/{str(acme_run(5)).upper()}") == acme.told(f"runs/{acme_run(5)}")


@pytest.mark.parametrize("limit", [1, 2, 200])
def test_events_are_every_delivery_in_the_order_of_the_log(acme: Asker, limit: int) -> None:
    events = acme.walk(f"runs/{acme_run(1)}/events", "events", limit=limit)
    assert [event["event_id"] for event in events] == ["acme-start-1", "acme-use-1", "acme-use-1", "acme-end-1"]
    assert [event["log_offset"] for event in events] == sorted(event["log_offset"] for event in events)
    assert events[1]["data"]["token_usage"]["input_tokens"] == 10


@pytest.mark.parametrize("limit", [1, 2, 3, 200])
def test_traces_are_each_once_however_often_their_event_came(acme: Asker, limit: int) -> None:
    traces = acme.walk(f"runs/{acme_run(1)}/traces", "traces", limit=limit)
    assert [(entry["number"], entry["trace"]["step"]) for entry in traces] == [(1, 0), (2, 1), (3, 2)]
    assert acme.told(f"runs/{acme_run(1)}")["trace_count"] == 3


def test_what_is_too_large_is_left_out_and_its_size_is_told(acme: Asker) -> None:
    traces = acme.told(f"runs/{acme_run(LARGE)}/traces")["traces"]
    assert [entry["trace"] is None for entry in traces] == [False, True, False]
    assert traces[1]["trace_bytes"] > LARGE_BYTES
    events = acme.told(f"runs/{acme_run(LARGE)}/events")["events"]
    assert [event["data"] is None for event in events] == [False, True, False]
    assert events[1]["data_bytes"] > LARGE_BYTES


def test_a_run_without_traces_has_an_empty_list(acme: Asker) -> None:
    assert acme.told(f"runs/{acme_run(6)}/traces") == {"traces": [], "next_cursor": None}
