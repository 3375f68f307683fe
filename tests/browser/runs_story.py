"""Runs with everything that a run's page can show, and runs that mean it harm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from runledger import RunClient
from runledger.access.projects import create_key, create_project
from tests.browser.site import Told
from tests.e2e.pipeline import wait_for

PROJECT = "maps"
"""Of its own: the figures of the other tests stay as they are."""
AGENT = "cartographer"
CHILD_AGENT = "surveyor"
TASK = "map/coast <north>"
SECRET = "sk-ant-api03-" + "x9Yq" * 20
OVERRIDE = "\N{RIGHT-TO-LEFT OVERRIDE}"
LONG_WORD = "w" * 1990
HOSTILE_AGENT = f'<img src=x onerror=alert(1)>{OVERRIDE}gpj."agent'
HOSTILE_SUMMARY = f"</title><script>alert(1)</script>{OVERRIDE}{LONG_WORD}"[:2000]
MANY_STEPS = 130
_START = timedelta(minutes=4)


@dataclass(frozen=True)
class RunsStory:
    """The runs that were told of."""

    rich: UUID
    child: UUID
    hostile: UUID
    patient: UUID
    """Goes on."""


def told_runs(site: Told) -> RunsStory:
    """Tell of all of them, and wait until they stand in the tables, scored; `site.keys["maps"]` opens their project."""
    with psycopg.connect(site.settings.postgres, autocommit=True) as connection:
        create_project(connection, PROJECT)
        site.keys["maps"] = create_key(connection, PROJECT, ["emit", "read", "admin"]).text()
    with site.client() as client:
        told = tell_runs(client)
        client.flush()
    scored = "SELECT count(*) FROM agent_run_log WHERE project_key = %(project)s AND rlhf_scores IS NOT NULL"
    running = "SELECT count(*) FROM agent_run WHERE project_key = %(project)s"
    wait_for("runs", lambda: site.value(running, project=PROJECT) == 4, 60)
    wait_for("scores", lambda: site.value(scored, project=PROJECT) == 3, 60)
    return told


def tell_runs(client: RunClient) -> RunsStory:
    """Tell of all of them."""
    began_at = datetime.now(UTC) - _START
    rich = _tell_rich(client, began_at)
    return RunsStory(rich, _tell_child(client, rich), _tell_hostile(client), _tell_patient(client))


def _tell_rich(client: RunClient, began_at: datetime) -> UUID:
    def at(seconds: float) -> datetime:
        return began_at + timedelta(seconds=seconds)

    run = client.start_run(
        PROJECT, AGENT, summary="Draw the northern coast from the survey of March", task_id=TASK, occurred_at=began_at
    )
    run.usage(
        model="claude-opus-4",
        input_tokens=8400,
        output_tokens=1200,
        cost_usd="0.028",
        llm_calls=3,
        prompt_preview=f"Use the key {SECRET} to read the survey",
        traces=list(_steps(began_at)),
        occurred_at=at(60),
    )
    run.usage(model="gpt-4.1", input_tokens=500, output_tokens=100, llm_calls=1, occurred_at=at(95))
    run.failure(
        "The tide table cannot be read",
        error="TimeoutError: tide server 10.0.0.7:4400 did not answer within 30 s\n  at tides/read.py:88",
        context={"attempt": 1},
        occurred_at=at(100),
    )
    run.heartbeat(occurred_at=at(120), event_id="beat-1")
    run.heartbeat(occurred_at=at(120), event_id="beat-1")
    run.end(
        summary="The coast is drawn; two bays are guesses",
        model="claude-opus-4",
        input_tokens=8000,
        output_tokens=1500,
        cost_usd="0.042",
        llm_calls=7,
        meta={"files_changed": ["coast.svg"], "bays": 14},
        occurred_at=at(180),
    )
    return run.run_id


def _steps(began_at: datetime) -> Iterator[dict[str, Any]]:
    def step(name: str, kind: str, begins: float, takes: float | None, **more: object) -> dict[str, Any]:
        told = {"name": name, "kind": kind, "started_at": (began_at + timedelta(seconds=begins)).isoformat(), **more}
        return told if takes is None else {**told, "duration_ms": takes * 1000}

    yield step("plan the map", "agent", 1, 58, span_id="a1", status="ok")
    yield step("chat claude-opus-4", "llm", 2, 11.4, span_id="b1", parent_span_id="a1", model="claude-opus-4")
    yield step("read_survey", "tool", 14, 6.2, span_id="b2", parent_span_id="a1", tool="read_survey", status="ok")
    yield step("SELECT soundings", "retriever", 15, 4.9, span_id="c1", parent_span_id="b2", query="soundings of March")
    yield step("read_tides", "tool", 15.5, 30, span_id="b3", parent_span_id="a1", tool="read_tides", status="error")
    yield step("chat claude-opus-4", "llm", 47, 9.1, span_id="b4", parent_span_id="a1", model="claude-opus-4")
    yield step("check the scale", "guardrail", 56.5, 0, span_id="b5", parent_span_id="a1", status="ok")
    yield step("publish", "chain", 57, None, span_id="b6", parent_span_id="a1")
    yield {"tool": "remember", "note": "tells no time"}


def _tell_child(client: RunClient, parent: UUID) -> UUID:
    run = client.start_run(PROJECT, CHILD_AGENT, summary="Sound the northern bay", parent_run_id=parent)
    run.usage(model="gpt-4o-mini", input_tokens=10_000, output_tokens=2000, llm_calls=2)
    run.end(summary="14 fathoms")
    return run.run_id


def _tell_hostile(client: RunClient) -> UUID:
    run = client.start_run(PROJECT, HOSTILE_AGENT, summary=HOSTILE_SUMMARY, task_id="'\"><b>" + "t" * 200)
    traces = [
        {
            "name": f"<b>{OVERRIDE}{'n' * 150}",
            "span_id": f"s{number}",
            "parent_span_id": f"s{number - 1}",
            "started_at": "9999-12-31T23:59:59.999999+00:00" if number == 3 else "yesterday",
            "duration_ms": -5 if number % 2 else 1e300,
            "</script><script>alert(2)</script>": [OVERRIDE, {"deep": ["<!--", "]]>", "\x07"]}],
        }
        for number in range(MANY_STEPS)
    ]
    run.usage(model="<i>model</i>" + "m" * 200, total_tokens=2**53 - 1, prompt_preview=HOSTILE_SUMMARY, traces=traces)
    run.failure(HOSTILE_SUMMARY, error=f"<script>alert(3)</script>{OVERRIDE}{'e' * 7900}")
    run.end("failed", summary=HOSTILE_SUMMARY, meta={"<b>key</b>": LONG_WORD})
    return run.run_id


def _tell_patient(client: RunClient) -> UUID:
    run = client.start_run(PROJECT, AGENT, summary="Watch the tide")
    return run.run_id
