"""The agent run log's endpoint, as the second source document describes it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

from runledger.schemas.run_events import RunLogged
from runledger.schemas.settings import ConnectionSettings
from tests.integration.producers.events import read_run_events
from tests.integration.producers.gateway.serving import Caller, serving

pytestmark = pytest.mark.integration
ROUTE = "internal/agent-run-log"
EXAMPLES: list[dict[str, Any]] = [
    {
        "agent_id": "sage",
        "status": "success",
        "actions_taken": {
            "summary": "Fixed database connection pool leak in session.py",
            "files_changed": ["src/backend/app/db/session.py"],
            "tests_run": 14,
            "tests_passed": 14,
            "pr_created": "#3456",
        },
    },
    {
        "agent_id": "aurora",
        "status": "partial",
        "actions_taken": {
            "summary": "Ran QA suite; 3 of 5 test suites passed",
            "suites_total": 5,
            "suites_passed": 3,
            "failures": ["test_billing_edge_cases", "test_oauth_refresh"],
        },
    },
    {
        "agent_id": "nova",
        "status": "failed",
        "actions_taken": {
            "summary": "Security scan aborted: dependency resolution timeout",
            "error": "pip install timed out after 120s",
        },
    },
]
CURL_BODY = """{
    "agent_id": "sage",
    "status": "success",
    "actions_taken": {
      "summary": "Deployed schema migration for billing_events table",
      "tables_modified": ["billing_events"],
      "rows_affected": 0
    }
  }"""
JSON = {"Content-Type": "application/json"}
VALID: dict[str, Any] = {"agent_id": "sage", "status": "success"}


def logged(settings: ConnectionSettings, agent_id: str) -> list[RunLogged]:
    """What stands in the log of an agent."""
    return [e for e in read_run_events(settings) if isinstance(e, RunLogged) and e.agent_id == agent_id]


@pytest.mark.parametrize("body", EXAMPLES, ids=lambda body: str(body["agent_id"]))
def test_the_documents_python_examples_work(url: str, settings: ConnectionSettings, body: dict[str, Any]) -> None:
    answer = requests.post(f"{url}/api/v1/internal/agent-run-log", json=body, timeout=10)
    answer.raise_for_status()
    assert (answer.status_code, answer.content) == (204, b"")
    event = logged(settings, body["agent_id"])[-1]
    assert (event.project_key, event.data.status) == ("default", body["status"])
    assert event.data.actions_taken == body["actions_taken"]


def test_the_documents_curl_command_works(url: str) -> None:
    target = f"{url}/api/v1/internal/agent-run-log"
    command = ["curl", "-sS", "-w", "%{http_code}", "-X", "POST", target, "-H", "Content-Type: application/json"]
    done = subprocess.run([*command, "-d", CURL_BODY], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "204"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "success"}, "agent_id"),
        ({**VALID, "agent_id": ""}, "agent_id"),
        ({**VALID, "agent_id": " \t\n"}, "agent_id"),
        ({**VALID, "agent_id": None}, "agent_id"),
        ({**VALID, "agent_id": 7}, "agent_id"),
        ({**VALID, "agent_id": "x" * 256}, "agent_id"),
        ({**VALID, "agent_id": "a\x00b"}, "agent_id"),
        ({"agent_id": "sage"}, "status"),
        ({**VALID, "status": "Success"}, "status"),
        ({**VALID, "status": "success "}, "status"),
        ({**VALID, "status": "completed"}, "status"),
        ({**VALID, "status": None}, "status"),
        ({**VALID, "status": ["success"]}, "status"),
        ({**VALID, "actions_taken": None}, "actions_taken"),
        ({**VALID, "actions_taken": []}, "actions_taken"),
        ({**VALID, "actions_taken": "done"}, "actions_taken"),
        ({**VALID, "actions_taken": {"a": {"b": 2**64}}}, "actions_taken.a.b"),
        ({**VALID, "actions_taken": {"a": ["\x00"]}}, "actions_taken.a[0]"),
        ([VALID], "body"),
        (None, "body"),
    ],
)
def test_a_broken_rule_is_answered_by_the_field(nobody: Caller, body: object, field: str) -> None:
    answer = nobody.send(ROUTE, json=body) if body is not None else nobody.send(ROUTE, data="null", headers=JSON)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert (error["code"], error["field"]) == ("invalid", field)
    assert error["message"].startswith(field)


def test_the_agent_is_trimmed_and_actions_default_to_nothing(nobody: Caller, settings: ConnectionSettings) -> None:
    assert nobody.post(ROUTE, {"agent_id": "  trimmed\n", "status": "partial"}).status_code == 204
    (event,) = logged(settings, "trimmed")
    assert event.data.actions_taken == {}


def test_an_agents_name_may_take_255_characters_beside_its_white_space(nobody: Caller) -> None:
    assert nobody.post(ROUTE, {**VALID, "agent_id": "  " + "x" * 255}).status_code == 204


def test_names_the_document_does_not_know_are_ignored(nobody: Caller) -> None:
    assert nobody.post(ROUTE, {**VALID, "host": "h"}).status_code == 204


def test_a_key_decides_the_project(acme: Caller, settings: ConnectionSettings) -> None:
    assert acme.post(ROUTE, {**VALID, "agent_id": "keyed", "project_key": "acme"}).status_code == 204
    assert {event.project_key for event in logged(settings, "keyed")} == {"acme"}


def test_a_bad_key_is_refused_where_none_would_do(url: str) -> None:
    with Caller(url, "rl.wrong") as caller:
        answer = caller.post(ROUTE, VALID)
    assert answer.status_code == 401
    assert "invalid_token" in answer.headers["WWW-Authenticate"]


def test_a_web_page_needs_a_key(nobody: Caller, acme: Caller) -> None:
    assert nobody.post(ROUTE, VALID, Origin="http://evil.example").status_code == 403
    assert acme.post(ROUTE, VALID, Origin="http://good.example").status_code == 204


def test_a_caller_without_a_key_names_no_project_but_the_default(nobody: Caller) -> None:
    assert nobody.post(ROUTE, {**VALID, "project_key": "default"}).status_code == 204
    assert nobody.post(ROUTE, {**VALID, "project_key": "acme"}).status_code == 403


def test_a_listener_that_is_not_trusted_asks_for_a_key(
    settings: ConnectionSettings, keys: dict[str, str], tmp_path: Path
) -> None:
    with (
        serving(settings, tmp_path / "log", RUNLEDGER_INTERNAL_LISTENER_TRUSTED="false") as url,
        Caller(url, None) as nobody,
        Caller(url, keys["acme"]) as acme,
    ):
        refused = nobody.post(ROUTE, VALID)
        taken = acme.post(ROUTE, VALID)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert taken.status_code == 204
