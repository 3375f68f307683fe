"""A run told over HTTP, from start to end; who may, and what counts once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from runledger.schemas.identifiers import resolution_run_id
from runledger.schemas.run_events import (
    AnyRunEvent,
    FailureRecorded,
    FailureResolved,
    RunEnded,
    RunHeartbeat,
    RunRecorded,
    RunStarted,
    UsageReported,
)
from runledger.schemas.settings import ConnectionSettings
from tests.integration.producers.events import read_run_events
from tests.integration.producers.gateway.serving import Caller

pytestmark = pytest.mark.integration
RUN = "0199f0c2-7f3a-7cc1-8d3b-0a5c1f2e3d4c"
USAGE = {"input_tokens": 8400, "output_tokens": 1200, "cost_usd": 0.028, "model": "claude-opus-4", "llm_calls": 3}
FINAL = {"input_tokens": 12400, "output_tokens": 3200, "cost_usd": 0.042, "model": "claude-opus-4", "llm_calls": 7}


def told(settings: ConnectionSettings, run_id: str) -> list[AnyRunEvent]:
    """What stands in the log of a run, in order."""
    return [event for event in read_run_events(settings) if event.run_id == UUID(run_id)]


def test_a_run_is_told_from_start_to_end(acme: Caller, settings: ConnectionSettings) -> None:
    start = acme.post("runs", {"project_key": "acme", "agent_id": "sage", "summary": "s", "meta_json": {"a": 1}})
    assert start.status_code == 201
    run_id = start.json()["run_id"]
    answers = [
        acme.post(f"runs/{run_id}/usage", {"token_usage": USAGE, "traces": [{"call": 1}]}),
        acme.post(f"runs/{run_id}/heartbeat", {}),
        acme.post("failures", {"run_id": run_id, "agent_id": "sage", "summary": "f", "error": "e", "task_id": "t"}),
        acme.post(f"runs/{run_id}/end", {"status": "completed", "summary": "done", "token_usage": FINAL}),
    ]
    assert [(answer.status_code, answer.json()["run_id"]) for answer in answers] == [(201, run_id)] * 4
    started, usage, heartbeat, failure, ended = told(settings, run_id)
    assert [e.event_id for e in (usage, heartbeat, failure, ended)] == [a.json()["event_id"] for a in answers]
    assert isinstance(started, RunStarted)
    assert (started.project_key, started.agent_id, started.data.summary) == ("acme", "sage", "s")
    assert isinstance(usage, UsageReported)
    assert usage.data.token_usage.model_dump(exclude_none=True, mode="json") == {**USAGE, "cost_usd": "0.0280000000"}
    assert isinstance(heartbeat, RunHeartbeat)
    assert isinstance(failure, FailureRecorded)
    assert (failure.data.error, failure.data.detached) == ("e", False)
    assert isinstance(ended, RunEnded)
    assert ended.data.token_usage is not None
    assert (ended.data.status, ended.data.token_usage.llm_calls) == ("completed", 7)


def test_a_run_is_recorded_in_one_call(acme: Caller, settings: ConnectionSettings) -> None:
    answer = acme.post("records", {"agent": "claude-opus", "ticket": "OPR-429", "summary": "s", "meta_json": {"m": 1}})
    assert answer.status_code == 201
    (event,) = told(settings, answer.json()["run_id"])
    assert isinstance(event, RunRecorded)
    assert (event.agent_id, event.data.ticket, event.data.meta) == ("claude-opus", "OPR-429", {"m": 1})


def test_a_kind_of_failure_is_resolved_by_who_administers(
    acme: Caller, url: str, keys: dict[str, str], settings: ConnectionSettings
) -> None:
    kind = "0f" * 32
    refused = acme.post(f"failures/{kind}/resolve", {"note": "n"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")
    with Caller(url, keys["admin"]) as admin:
        answer = admin.post(f"failures/{kind}/resolve", {"note": "raised the pool", "by": "ops"})
        assert (answer.status_code, answer.json()["run_id"]) == (201, None)
        assert admin.post(f"failures/{kind}/resolve", {"project_key": "other"}).status_code == 403
        assert admin.post(f"failures/{kind}/resolve", {"fingerprint": "1f" * 32}).status_code == 422
        assert admin.post("failures/disk-full/resolve", {}).status_code == 422
    (event,) = told(settings, str(resolution_run_id("acme", kind)))
    assert isinstance(event, FailureResolved)
    assert event.event_id == answer.json()["event_id"]
    assert (event.data.fingerprint, event.data.note, event.data.by) == (kind, "raised the pool", "ops")


def test_a_failure_of_no_run_has_none(acme: Caller, settings: ConnectionSettings) -> None:
    answer = acme.post("failures", {"summary": "f"})
    assert (answer.status_code, answer.json()["run_id"]) == (201, None)
    (event,) = [e for e in read_run_events(settings) if e.event_id == answer.json()["event_id"]]
    assert isinstance(event, FailureRecorded)
    assert event.data.detached


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("internal/agent-run-log", {"agent_id": "once", "status": "success"}),
        ("runs", {"agent_id": "once"}),
        (f"runs/{RUN}/usage", {"token_usage": USAGE}),
        (f"runs/{RUN}/heartbeat", {}),
        (f"runs/{RUN}/end", {"status": "failed"}),
        ("failures", {"summary": "once"}),
        ("records", {"agent": "once", "summary": "s"}),
    ],
)
def test_the_same_key_gives_the_same_answer_and_one_event(
    url: str, keys: dict[str, str], settings: ConnectionSettings, route: str, body: dict[str, Any]
) -> None:
    before = {event.event_id for event in read_run_events(settings)}
    key = str(uuid4())

    def post(_number: int) -> tuple[int, bytes]:
        with Caller(url, keys["acme"]) as caller:
            answer = caller.post(route, body, Idempotency_Key=key)
            return answer.status_code, answer.content

    with ThreadPoolExecutor(20) as pool:
        answers = set(pool.map(post, range(20)))
    assert len(answers) == 1
    assert answers.pop()[0] in {201, 204}
    events = [event for event in read_run_events(settings) if event.event_id not in before]
    assert len({(event.project_key, event.run_id, event.event_id) for event in events}) == 1


def test_without_a_key_every_call_is_a_new_one(acme: Caller) -> None:
    first, second = (acme.post("runs", {}).json() for _ in range(2))
    assert first["run_id"] != second["run_id"]
    assert first["event_id"] != second["event_id"]


def test_the_same_key_of_another_project_or_route_is_another_call(url: str, keys: dict[str, str]) -> None:
    body = {"agent": "a", "summary": "s"}
    with Caller(url, keys["acme"]) as acme, Caller(url, keys["other"]) as other:
        ids = [
            acme.post("records", body, Idempotency_Key="k").json()["event_id"],
            other.post("records", body, Idempotency_Key="k").json()["event_id"],
            acme.post("failures", {"summary": "s"}, Idempotency_Key="k").json()["event_id"],
        ]
    assert len(set(ids)) == 3


@pytest.mark.parametrize(("key", "status"), [("k", 201), ("k" * 255, 201), ("k" * 256, 422), ("", 422), ("a b", 422)])
def test_an_idempotency_key_is_1_to_255_visible_characters(acme: Caller, key: str, status: int) -> None:
    answer = acme.post("runs", {}, Idempotency_Key=key)
    assert answer.status_code == status
    if status == 422:
        assert answer.json()["error"]["field"] == "Idempotency-Key"


LIMITS: list[tuple[str, dict[str, Any], str, Any, Any]] = [
    ("runs", {}, "summary", "x" * 2000, "x" * 2001),
    ("runs", {}, "agent_id", "x" * 255, "x" * 256),
    ("runs", {}, "task_id", "x" * 255, "x" * 256),
    ("runs", {}, "run_id", RUN, "not-a-uuid"),
    (f"runs/{RUN}/usage", {"token_usage": {}}, "traces", [{}] * 200, [{}] * 201),
    (f"runs/{RUN}/usage", {}, "token_usage.prompt_preview", "x" * 2000, "x" * 2001),
    (f"runs/{RUN}/usage", {}, "token_usage.model", "x" * 255, "x" * 256),
    (f"runs/{RUN}/usage", {}, "token_usage.input_tokens", 2**53 - 1, 2**53),
    (f"runs/{RUN}/usage", {}, "token_usage.output_tokens", 0, -1),
    (f"runs/{RUN}/usage", {}, "token_usage.total_tokens", 8400.0, 8400.5),
    (f"runs/{RUN}/usage", {}, "token_usage.llm_calls", 1, "1"),
    (f"runs/{RUN}/usage", {}, "token_usage.cost_usd", 999_999_999.5, 1_000_000_000),
    (f"runs/{RUN}/end", {"status": "completed"}, "summary", "x" * 2000, "x" * 2001),
    (f"runs/{RUN}/end", {"status": "completed"}, "traces", [{}] * 200, [{}] * 201),
    (f"runs/{RUN}/end", {}, "status", "interrupted", "done"),
    ("failures", {}, "summary", "x" * 2000, "x" * 2001),
    ("failures", {"summary": "s"}, "error", "x" * 8000, "x" * 8001),
    ("records", {"agent": "a"}, "summary", "x" * 2000, "x" * 2001),
    ("records", {"summary": "s"}, "agent", "x" * 128, "x" * 129),
    ("records", {"summary": "s", "agent": "a"}, "ticket", "x" * 64, "x" * 65),
]


@pytest.mark.parametrize(("route", "body", "field", "fits", "breaks"), LIMITS, ids=lambda value: str(value)[:40])
def test_each_limit_holds_at_its_edge(
    acme: Caller, route: str, body: dict[str, Any], field: str, fits: object, breaks: object
) -> None:
    assert acme.post(route, with_field(body, field, fits)).status_code == 201
    answer = acme.post(route, with_field(body, field, breaks))
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


def with_field(body: dict[str, Any], field: str, value: object) -> dict[str, Any]:
    """Set a dotted field."""
    first, _, rest = field.partition(".")
    return {**body, first: {rest: value} if rest else value}


@pytest.mark.parametrize(
    ("route", "body", "field"),
    [
        (f"runs/{RUN}/usage", {}, "token_usage"),
        (f"runs/{RUN}/end", {}, "status"),
        ("failures", {}, "summary"),
        ("records", {"summary": "s"}, "agent"),
        ("records", {"agent": "a"}, "summary"),
        (f"runs/{RUN}/usage", {"token_usage": {"input_token": 1}}, "token_usage.input_token"),
        ("runs", {"metajson": {}}, "metajson"),
        ("runs/not-a-uuid/usage", {"token_usage": {}}, "run_id"),
        (f"runs/{RUN}/heartbeat", {"run_id": str(UUID(int=1))}, "run_id"),
    ],
)
def test_missing_unknown_and_contradicting_parameters_are_named(
    acme: Caller, route: str, body: dict[str, Any], field: str
) -> None:
    answer = acme.post(route, body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


def test_the_body_may_repeat_the_run_of_the_path(acme: Caller) -> None:
    assert acme.post(f"runs/{RUN}/heartbeat", {"run_id": RUN.upper()}).status_code == 201


ROUTES: list[tuple[str, dict[str, Any]]] = [
    ("runs", {}),
    (f"runs/{RUN}/usage", {"token_usage": {}}),
    (f"runs/{RUN}/heartbeat", {}),
    (f"runs/{RUN}/end", {"status": "completed"}),
    ("failures", {"summary": "s"}),
    ("records", {"agent": "a", "summary": "s"}),
]


@pytest.mark.parametrize(("route", "body"), ROUTES)
def test_no_key_a_bad_one_and_one_that_may_only_read_are_refused(
    url: str, keys: dict[str, str], nobody: Caller, route: str, body: dict[str, Any]
) -> None:
    with Caller(url, keys["acme"] + "x") as stranger, Caller(url, keys["reader"]) as reader:
        answers = [caller.post(route, body) for caller in (nobody, stranger, reader)]
    assert [answer.status_code for answer in answers] == [401, 401, 403]
    assert all("WWW-Authenticate" in answer.headers for answer in answers[:2])


@pytest.mark.parametrize(("route", "body"), ROUTES)
def test_another_project_is_refused_and_logged(acme: Caller, log: Path, route: str, body: dict[str, Any]) -> None:
    logged_before = len(log.read_bytes())
    answer = acme.post(route, {**body, "project_key": "other"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
    (line,) = [orjson.loads(line) for line in log.read_bytes()[logged_before:].splitlines()]
    assert line["event"] == "emit_refused"
    assert (line["project_key"], line["named_project_key"]) == ("acme", "other")


@pytest.mark.parametrize("form", ["Bearer {}", "Basic {}", "{}", "Bearer {}x"])
def test_no_key_is_ever_logged_or_answered(url: str, keys: dict[str, str], log: Path, form: str) -> None:
    secret = keys["acme"].rpartition(".")[2]
    with Caller(url, None) as caller:
        headers = {"Authorization": form.format(keys["acme"])}
        answer = caller.send("records", json={"agent": "a", "summary": "s", "project_key": "other"}, headers=headers)
    assert answer.status_code in {401, 403}
    assert secret not in answer.text
    assert secret not in log.read_text()
