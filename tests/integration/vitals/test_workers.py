"""Every worker tells how it does, on a listener of its own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from runledger.schemas.settings import ConnectionSettings
from runledger.sinks.migrate import migrate
from runledger.stack.health import answers_http
from runledger.stack.ports import LOOPBACK, choose_port
from runledger.stack.vitals import why_unwell
from runledger.vitals.metrics import ALL_METRICS, WORKERS
from tests.e2e.pipeline import Pipeline, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.slow]

Samples = dict[str, dict[tuple[str, ...], float]]
"""{sample: {label values in the order of the labels' names: value}}."""


def ask(port: int, path: str, body: Mapping[str, object] | None = None) -> tuple[int, bytes]:
    connection = HTTPConnection(LOOPBACK, port, timeout=10)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request(
            "GET" if body is None else "POST", path, None if body is None else orjson.dumps(body), headers
        )
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def metrics(port: int) -> Samples:
    found: Samples = {}
    for family in text_string_to_metric_families(ask(port, "/metrics")[1].decode()):
        for it in family.samples:
            found.setdefault(it.name, {})[tuple(it.labels[name] for name in sorted(it.labels))] = it.value
    return found


def test_each_worker_tells_how_it_does_and_what_it_did(
    topics: ConnectionSettings, database: str, tmp_path: Path
) -> None:
    migrate(database)
    running = Pipeline(topics.model_copy(update={"postgres": database}), tmp_path, {})
    doors = {name: choose_port() for name in ("HTTP", "MCP", "API")}
    ports: dict[str, int] = {}
    try:
        for worker in WORKERS:
            ports[worker] = choose_port({*ports.values(), *doors.values()})
            listening = {f"RUNLEDGER_{name}_PORT": str(port) for name, port in doors.items()}
            running.start(worker, {"RUNLEDGER_METRICS_PORT": str(ports[worker]), **listening})
        for worker, port in ports.items():
            wait_for(f"{worker} is well", partial(is_well, port), 90)
        for name, port in doors.items():  # a worker tells how it does before its door is open
            wait_for(f"{name} listens", partial(answers_http, LOOPBACK, port, "/healthz"), 60)
        for number in range(20):
            logged = {"agent_id": "sage", "status": "success", "actions_taken": {"summary": f"run {number}"}}
            assert ask(doors["HTTP"], "/api/v1/internal/agent-run-log", logged)[0] == 204
        assert ask(doors["HTTP"], f"/api/v1/runs/{'x' * 30}")[0] == 404
        wait_for("scores", lambda: rows(ports["sink"], "run_score") == 20, 60)
        wait_for("their acknowledgement", lambda: scored(ports["scorer"]) == 20, 30)
        wait_for("a watermark", lambda: metrics(ports["watch"])["runledger_watermark_timestamp_seconds"][()] > 0, 30)
        found = {worker: metrics(port) for worker, port in ports.items()}
        judge_names(found)
        judge_values(found)
        assert [ask(port, "/metrics")[0] for port in doors.values()] == [404, 401, 404]  # MCP wants a key first
    finally:
        running.stop()


def is_well(port: int) -> bool:
    return why_unwell(LOOPBACK, port) is None


def rows(port: int, table: str) -> float:
    return metrics(port).get("runledger_rows_written_total", {}).get((table,), 0)


def scored(port: int) -> float:
    return metrics(port).get("runledger_records_written_total", {}).get(("run-scores",), 0)


def judge_names(found: dict[str, Samples]) -> None:
    """Everything of ours that a worker exposes stands in the list, for that worker."""
    for worker, samples in found.items():
        listed = {it.name for it in ALL_METRICS if worker in it.processes}
        ours = {name for name in samples if name.startswith("runledger_")}
        families = {name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum") for name in ours}
        assert families <= listed, worker
        assert samples["runledger_process_info"].keys() == {(worker, "0.1.0")}


def judge_values(found: dict[str, Samples]) -> None:
    """What was told once stands in each worker's figures once."""
    processor, sink = found["processor"], found["sink"]
    assert processor["runledger_records_read_total"] == {("run-events",): 20, ("run-outcomes",): 20}
    assert processor["runledger_records_written_total"]["run-log",] == 20
    assert processor["runledger_finished_runs_total"] == {("unknown", "success"): 20}
    assert processor["runledger_states"]["runs",] == 20
    assert processor["runledger_state_bytes"]["runs",] > 1000
    assert processor["runledger_commit_seconds_count"]["runs",] > 0
    assert processor["runledger_recovery_seconds_count"] == {("agents",): 4, ("runs",): 4}
    assert sink["runledger_records_read_total"]["run-events",] == 20
    assert sink["runledger_rows_written_total"]["agent_run_log",] == 20
    assert 0 < sink["runledger_visible_seconds_count"]["logged",] <= 20
    assert found["relay"]["runledger_records_written_total"] == {("scoring-jobs",): 20}
    assert found["relay"]["runledger_outbox_age_seconds"] == {(): 0}
    assert found["scorer"]["runledger_records_written_total"] == {("run-scores",): 20}
    assert found["watch"]["runledger_watermark_timestamp_seconds"][()] > 1e9
    requests = found["gateway"]["runledger_http_requests_total"]
    assert requests["/api/v1/internal/agent-run-log", "204"] == 20
    assert sum(times for (_, status), times in requests.items() if status == "404") == 1
    assert all("x" * 30 not in route for route, _ in requests)
    for worker, samples in found.items():
        assert samples.get("runledger_problem", {}) == {}, worker
