from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import runledger
from runledger.producers.importers import airline, read_events
from runledger.schemas.run_events import RunEnded, RunStarted, UsageReported

SHIPPED = Path(runledger.__file__).parent / "data" / "airline_runs.jsonl"


@pytest.fixture
def line() -> dict[str, Any]:
    """The first shipped run."""
    with SHIPPED.open() as lines:
        run: dict[str, Any] = json.loads(next(lines))
    return run


def test_the_shipped_runs_come_to_their_known_totals() -> None:
    events = list(read_events(SHIPPED))
    usage = [event.data.token_usage for event in events if isinstance(event, UsageReported)]
    ends = [event.data.status for event in events if isinstance(event, RunEnded)]
    assert (len(ends), ends.count("completed"), ends.count("failed")) == (40, 32, 8)
    assert sum(report.llm_calls or 0 for report in usage) == 357
    assert sum(report.input_tokens or 0 for report in usage) == 2_895_696
    assert sum(report.output_tokens or 0 for report in usage) == 144_787
    assert sum((report.cost_usd or Decimal(0) for report in usage), Decimal(0)) == Decimal("10.858893")
    assert len({event.event_id for event in events}) == len(events) == 437


def test_read_run_gives_the_start_every_turn_and_the_end(line: dict[str, Any]) -> None:
    run = airline.read_run(line)
    started, *usage, ended = run.events
    assert isinstance(started, RunStarted)
    assert [type(event) for event in usage] == [UsageReported] * len(line["agent"]["turns"])
    assert isinstance(ended, RunEnded)
    assert {event.agent_id for event in run.events} == {"airline"}
    assert {event.project_key for event in run.events} == {"default"}
    assert {str(event.run_id) for event in run.events} == {line["run_id"]}
    assert [event.occurred_at for event in run.events] == sorted(event.occurred_at for event in run.events)


def test_read_run_leaves_the_simulated_user_out(line: dict[str, Any]) -> None:
    without = line | {"simulated_user": {"model": "none", "turns": []}}
    assert airline.read_run(line) == airline.read_run(without)


@pytest.mark.parametrize(("reward", "status"), [(1.0, "completed"), (0.99, "failed"), (0.0, "failed")])
def test_a_reward_below_one_is_a_failed_run(line: dict[str, Any], reward: float, status: str) -> None:
    end = airline.read_run(line | {"reward": reward}).events[-1]
    assert isinstance(end, RunEnded)
    assert end.data.status == status
    assert end.data.summary == f"task 13: reward {reward}, user_stop"


def test_tool_errors_are_counted_at_the_end(line: dict[str, Any]) -> None:
    results = [{"at": f"2025-10-31T07:35:0{index}Z", "error": index == 2} for index in range(4)]
    end = airline.read_run(line | {"tool_results": results}).events[-1]
    assert isinstance(end, RunEnded)
    assert (end.data.meta["tools_called"], end.data.meta["tool_errors"]) == (4, 1)


def test_ids_do_not_depend_on_the_order_in_the_file(line: dict[str, Any]) -> None:
    shuffled = json.loads(json.dumps(line))
    random.Random(7).shuffle(shuffled["agent"]["turns"])
    assert {event.event_id: event for event in airline.read_run(line).events} == {
        event.event_id: event for event in airline.read_run(shuffled).events
    }


@pytest.mark.parametrize("missing", ["started_at", "ended_at", "termination_reason", "tool_results"])
def test_read_run_refuses_a_line_without_a_field(line: dict[str, Any], missing: str) -> None:
    del line[missing]
    with pytest.raises(ValidationError, match=missing):
        airline.read_run(line)
