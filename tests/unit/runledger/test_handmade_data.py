"""Recount the hand-made runs from their file, without any of the pipeline's own code, against what is written down."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import runledger

Json: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[str, str]

DATA = Path(runledger.__file__).parent / "data"
EXPECTED: Json = json.loads((DATA / "handmade_runs.expected.json").read_text())
COUNTS = ("input_tokens", "output_tokens", "total_tokens", "cost_usd", "llm_calls")
ESTIMATES = {("claude-sonnet-4-5", 10_000, 2_000): Decimal("0.06")}
"""$3 and $15 a million tokens."""
THRESHOLD = 3


def lines() -> list[Json]:
    with (DATA / "handmade_runs.jsonl").open() as file:
        return [json.loads(line) for line in file]


def is_empty(value: object) -> bool:
    """Whether nothing is said: zero and false say something."""
    if isinstance(value, dict):
        return all(is_empty(item) for item in value.values())
    if isinstance(value, list):
        return all(is_empty(item) for item in value)
    return value is None or (isinstance(value, str) and not value.strip())


def counted(report: Json) -> Json:
    """One report's figures with what can be told beyond them: the total, and the price of a known model."""
    figures: Json = {name: Decimal(str(report[name])) for name in COUNTS if name in report}
    if {"input_tokens", "output_tokens"} <= figures.keys():
        figures.setdefault("total_tokens", figures["input_tokens"] + figures["output_tokens"])
    figures["source"] = "reported" if "cost_usd" in figures else "unknown"
    estimate = ESTIMATES.get((report.get("model", ""), report.get("input_tokens", 0), report.get("output_tokens", 0)))
    if "cost_usd" not in figures and estimate is not None:
        figures |= {"cost_usd": estimate, "source": "estimated"}
    return figures


def usage_of(reports: list[Json], final: Json | None) -> tuple[Json, str, bool]:
    """What the run used, where its cost comes from, and whether the final figures lie below the reports'."""
    parts = [counted(report) for report in reports]
    total: Json = {}
    for name in COUNTS:
        said = [part[name] for part in parts if name in part]
        total[name] = sum(said) if said else None
    sources = {part["source"] for part in parts}
    source = sources.pop() if len(sources) == 1 else "mixed" if sources else "unknown"
    if final is None:
        return total, source, False
    ended = counted(final)
    below = any(name in ended and total[name] is not None and ended[name] < total[name] for name in COUNTS)
    effective: Json = {name: ended.get(name, total[name]) for name in COUNTS}
    if "total_tokens" not in ended and any(name in ended for name in ("input_tokens", "output_tokens")):
        effective["total_tokens"] = effective["input_tokens"] + effective["output_tokens"]
    return effective, ended["source"] if "cost_usd" in ended else source, below


def end_of(line: Json) -> Json | None:
    ends = [event for event in line["events"] if event["type"] in {"ended", "recorded", "logged"}]
    return min(ends, key=lambda event: event["at"]) if ends else None


def run_of(line: Json) -> Json | None:
    """Tell one run from its line; None for a line of which no run comes."""
    events = line["events"]
    if all(event["type"] == "failure" and event.get("detached") for event in events):
        return None
    end = end_of(line)
    kind = {"recorded": "record", "logged": "log"}.get(end["type"], "lifecycle") if end else "lifecycle"
    reports = [event["token_usage"] for event in events if event["type"] == "usage"]
    final = end.get("token_usage") if end else None
    usage, source, below = usage_of(reports, final)
    models = [report["model"] for report in [*reports, *([final] if final else [])] if "model" in report]
    status: str = "running"
    outcome: str | None = None
    if end is not None:
        said: str = end.get("status", "completed")
        outcome = {"completed": "success", "interrupted": "partial"}.get(said, said)
        status = {"success": "completed", "partial": "completed"}.get(said, said)
    run = {
        "project_key": line.get("project_key", "default"),
        "run_id": line["run_id"],
        "agent_id": line["agent_id"],
        "kind": kind,
        "status": status,
        "outcome": outcome,
        "usage": {
            name: None if value is None else (f"{value:.10f}" if name == "cost_usd" else int(value))
            for name, value in usage.items()
        },
        "cost_source": source,
        "models": list(dict.fromkeys(models)),
        "failures": sum(event["type"] == "failure" for event in events),
        "traces": sum(len(event.get("traces", [])) for event in events),
        "usage_mismatch": below,
        "end_conflict": len({event["status"] for event in events if event["type"] == "ended"}) > 1,
        "timed_out": False,
        "parent_run_id": next((event["parent_run_id"] for event in events if "parent_run_id" in event), None),
    }
    if end is None:
        last = max(event["at"] for event in events)
        run["after_the_deadline"] = {"status": "interrupted", "outcome": "failed", "timed_out": True, "ended_at": last}
    return run


def actions_of(end: Json | None) -> Json:
    if end is None:
        return {}
    if end["type"] == "logged":
        actions: Json = end["actions_taken"]
        return actions
    return {**end.get("meta", {}), **{key: end[key] for key in ("summary", "ticket") if key in end}}


def row_of(line: Json, run: Json) -> Json:
    """The run's row but for its streaks."""
    end = end_of(line)
    actions = actions_of(end)
    row = {
        **{key: run[key] for key in ("project_key", "agent_id", "run_id")},
        "ended_at": end["at"] if end else run["after_the_deadline"]["ended_at"],
        "status": run["outcome"] or "failed",
        "run_status": run["status"] if end else "interrupted",
        "silent": "no_work" not in actions and is_empty(actions) and run["traces"] == 0,
        "action_summary": actions.get("summary"),
    }
    return row if end else row | {"only_after_the_deadline": True}


def with_streaks(rows: Iterable[Json], kinds: dict[Key, str]) -> list[Json]:
    """Count the streaks of each agent in the order its runs ended in."""
    counts: dict[Key, tuple[int, int]] = {}
    counted_rows = []
    for row in sorted(rows, key=lambda row: (row["ended_at"], row["project_key"], row["run_id"])):
        agent = (row["project_key"], row["agent_id"])
        silence, failing = counts.get(agent, (0, 0))
        silence = silence + 1 if row["silent"] else 0
        if row["status"] == "failed":
            failing += 1
        elif row["status"] == "success" and kinds[row["project_key"], row["run_id"]] != "record":
            failing = 0
        counts[agent] = silence, failing
        counted_rows.append(row | {"consecutive_silence_count": silence, "consecutive_failure_count": failing})
    return counted_rows


def incidents_of(rows: list[Json]) -> list[Json]:
    """An incident opens where a streak reaches three and recovers where it falls to none."""
    incidents: list[Json] = []
    for kind, count in (("silent", "consecutive_silence_count"), ("failing", "consecutive_failure_count")):
        standing: dict[Key, Json] = {}
        for row in rows:
            agent = (row["project_key"], row["agent_id"])
            if row[count] >= THRESHOLD and agent not in standing:
                standing[agent] = {
                    "project_key": agent[0],
                    "agent_id": agent[1],
                    "kind": kind,
                    "opened_by_run_id": row["run_id"],
                    "opened_at": row["ended_at"],
                    "recovered_by_run_id": None,
                    "recovered_at": None,
                }
                incidents.append(standing[agent])
            elif row[count] == 0 and agent in standing:
                standing.pop(agent).update(recovered_by_run_id=row["run_id"], recovered_at=row["ended_at"])
    return sorted(incidents, key=lambda incident: str(incident["agent_id"]))


@pytest.fixture(scope="module")
def runs() -> list[Json]:
    return [run for line in lines() if (run := run_of(line)) is not None]


@pytest.fixture(scope="module")
def rows(runs: list[Json]) -> list[Json]:
    kinds = {(run["project_key"], run["run_id"]): run["kind"] for run in runs}
    told = [(line, run) for line in lines() if (run := run_of(line)) is not None]
    return with_streaks((row_of(line, run) for line, run in told), kinds)


def by_run(items: Iterable[Json]) -> dict[Key, Json]:
    return {(item["project_key"], item["run_id"]): item for item in items}


def test_every_run_is_as_written_down(runs: list[Json]) -> None:
    assert by_run(runs) == by_run(EXPECTED["runs"])


def test_every_row_is_as_written_down(rows: list[Json]) -> None:
    assert rows == EXPECTED["rows"]


def test_every_incident_is_as_written_down(rows: list[Json]) -> None:
    assert incidents_of(rows) == EXPECTED["incidents"]


@pytest.mark.parametrize("after", [False, True])
def test_every_agent_stands_as_written_down(rows: list[Json], *, after: bool) -> None:
    last = {}
    finished: dict[Key, int] = {}
    for row in rows:
        if after or "only_after_the_deadline" not in row:
            agent = (row["project_key"], row["agent_id"])
            last[agent] = (row["consecutive_silence_count"], row["consecutive_failure_count"])
            finished[agent] = finished.get(agent, 0) + 1
    written = {}
    for agent in EXPECTED["agents"]:
        told = agent | (agent.get("after_the_deadline", {}) if after else {})
        written[told["project_key"], told["agent_id"]] = (
            told["finished_runs"],
            told["consecutive_silence_count"],
            told["consecutive_failure_count"],
        )
    assert {agent: (finished[agent], *streaks) for agent, streaks in last.items()} == written


@pytest.mark.parametrize("moment", ["at_once", "after_the_deadline"])
def test_the_totals_are_as_written_down(runs: list[Json], moment: str) -> None:
    statuses = [run.get(moment, run)["status"] for run in runs]
    totals: Json = {"runs": len(runs), "rows": sum(status != "running" for status in statuses)}
    totals |= {name: statuses.count(name) for name in ("running", "completed", "failed", "interrupted")}
    for name in COUNTS:
        totals[name] = sum(Decimal(run["usage"][name] or 0) for run in runs)
    totals["cost_usd"] = f"{totals['cost_usd']:.10f}"
    assert totals == EXPECTED[moment]


def test_the_file_holds_what_the_real_runs_lack(runs: list[Json], rows: list[Json]) -> None:
    """A guard against a later edit that takes a case away."""
    assert {run["status"] for run in runs} == {"running", "completed", "failed", "interrupted"}
    assert {run["kind"] for run in runs} == {"lifecycle", "record", "log"}
    assert {run["cost_source"] for run in runs} == {"reported", "estimated", "mixed", "unknown"}
    assert {row["status"] for row in rows} == {"success", "partial", "failed"}
    assert any(len(run["models"]) > 1 for run in runs)
    assert any(run["parent_run_id"] for run in runs)
    assert any(run["usage_mismatch"] for run in runs)
    assert any(run["end_conflict"] for run in runs)
    assert any(run["failures"] for run in runs)
    assert any(line["events"][0]["type"] == "ended" for line in lines())
    assert {run["project_key"] for run in runs} == {"default", "acme"}
    assert max(row["consecutive_silence_count"] for row in rows) >= THRESHOLD
    assert max(row["consecutive_failure_count"] for row in rows) >= THRESHOLD
