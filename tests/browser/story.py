"""What happened before the browser looks: the demo's runs, and agents in every state that the auditor knows."""

from __future__ import annotations

from importlib import resources
from typing import Any

from runledger import RunClient
from runledger.producers.settings import ProducerSettings
from runledger.replaying import send_file
from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.settings import ConnectionSettings
from runledger.settings_log import write_settings

PROJECT = "default"
DAY = 86_400
AGENTS = {
    "sage": AgentSettings(PROJECT, "sage", name="Sage", role="Backend"),
    "aurora": AgentSettings(PROJECT, "aurora", name="Aurora", role="QA"),
    "nova": AgentSettings(PROJECT, "nova", name="Nova", role="Security"),
    "luma": AgentSettings(PROJECT, "luma", name="Luma", role="Design"),
    "atlas": AgentSettings(PROJECT, "atlas", name="Atlas", role="Infrastructure", expected_interval_seconds=1),
    "helios": AgentSettings(PROJECT, "helios", name="Helios", role="Research", expected_interval_seconds=1),
    "scout": AgentSettings(PROJECT, "scout", name="Scout", role="Support", expected_interval_seconds=DAY),
    "lyra": AgentSettings(PROJECT, "lyra", name="Lyra", retired=True),
}
STATES = {
    "airline": "healthy",
    "sage": "healthy",
    "aurora": "healthy",
    "nova": "failing",
    "luma": "silent",
    "atlas": "quiet",
    "helios": "never_reported",
    "scout": "expected",
    "lyra": "retired",
}
"""{agent: its state}, once the pipeline has caught up."""
FINISHED_RUNS = 40 + 6 + 3 + 4 + 3 + 1
"""Rows that the agent run log holds for the project."""
OTHER_PROJECT = "other"
"""Has an agent `stranger`, whom nobody of the default project may see."""

_SAGE_DID = (
    "Fixed a leak of database connections in session.py",
    "Moved the rate limiter to Redis; p99 down from 310 ms to 42 ms",
    "Reviewed 4 pull requests, merged 3",
    "Upgraded the ORM, all 214 tests pass",
    "Backfilled billing_events for October",
    "Wrote the migration that splits accounts from users, and a plan to roll it back",
)
_NOVA_ERROR = "TimeoutError: resolving dependencies timed out after {seconds}s\n  at scan/resolve.py:{line}"


def tell_story(settings: ConnectionSettings) -> None:
    """Send everything, and wait for the broker to have it."""
    known = ProducerSettings(kafka=settings.kafka, topic_prefix=settings.topic_prefix)
    with resources.as_file(resources.files("runledger") / "data" / "airline_runs.jsonl") as file:
        send_file(file, known, progress=lambda _sent, _of: None)
    for expected in AGENTS.values():
        write_settings(settings, expected)
    with RunClient(settings=known, strict=True) as client:
        _tell_sage(client)
        _tell_aurora(client)
        for number in range(4):
            _fail(client, "nova", number)
        for _ in range(3):
            client.log_run("luma", "success", {}, project=PROJECT)
        client.log_run("atlas", "success", {"summary": "Scaled the worker replicas to 3"}, project=PROJECT)
        client.log_run("stranger", "failed", {"summary": "Nobody else may read this"}, project=OTHER_PROJECT)


def _tell_sage(client: RunClient) -> None:
    models = ("claude-sonnet-4", "claude-opus-4", "gpt-4o-mini")
    for number, did in enumerate(_SAGE_DID):
        run = client.start_run(PROJECT, "sage", summary=did, task_id=None)
        run.usage(
            model=models[number % 3],
            input_tokens=8_400 + 3_100 * number,
            output_tokens=1_200 + 90 * number,
            llm_calls=3 + number,
            cost_usd=0.0281 * (number + 1),
            traces=[_step(step, number) for step in range(3)],
        )
        run.end(summary=did, meta={"files_changed": [f"src/part_{number}.py"], "tests_run": 14 + number})


def _step(step: int, number: int) -> dict[str, Any]:
    return {
        "name": ("read the code", "edit", "run the tests")[step],
        "span_id": f"{number:04x}{step:04x}",
        "duration_ms": 420 + 310 * step,
        "status": "ok",
    }


def _tell_aurora(client: RunClient) -> None:
    client.log_run("aurora", "partial", {"summary": "Ran the QA suite: 3 of 5 suites passed"}, project=PROJECT)
    broken = client.start_run(PROJECT, "aurora", summary="Run the billing suite", task_id="billing-suite")
    broken.failure(
        "The billing suite cannot reach its database",
        error="ConnectionRefusedError: [Errno 111] connect to 10.0.0.5:5432",
        context={"suite": "billing", "attempt": 2},
    )
    broken.end("failed", summary="Gave up after two attempts")
    mended = client.start_run(PROJECT, "aurora", summary="Run the billing suite again", task_id="billing-suite")
    mended.end(summary="All 5 suites pass since the database's address is right")
    open_run = client.start_run(PROJECT, "aurora", summary="Watch the canary for an hour")
    open_run.usage(model="gpt-4o-mini", input_tokens=1_900, output_tokens=210, llm_calls=1)


def _fail(client: RunClient, agent: str, number: int) -> None:
    run = client.start_run(PROJECT, agent, summary=f"Security scan {number + 1}")
    run.failure(
        "Security scan aborted: dependencies could not be resolved",
        error=_NOVA_ERROR.format(seconds=120 + number, line=88 + number),
    )
    run.end("failed", summary="Security scan aborted: resolving dependencies timed out")
