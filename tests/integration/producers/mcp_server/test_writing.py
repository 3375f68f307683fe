"""What the writing tools take and refuse, asked by the official client over HTTP."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from runledger.schemas.identifiers import run_id_of
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import RUN_EVENTS
from runledger.stack.ports import choose_port
from tests.e2e.pipeline import count_records
from tests.integration.producers.mcp_server.serving import (
    Served,
    answer,
    make_key,
    over_http,
    refusal,
    served,
)

pytestmark = pytest.mark.integration

RUN = str(uuid4())
START = {"project_key": "acme"}
USAGE = {"run_id": RUN}
END = {"run_id": RUN, "status": "completed"}
FAILURE = {"project_key": "acme", "summary": "no"}
RECORD = {"project_key": "acme", "agent": "sage", "summary": "done"}
LIMITS: list[tuple[str, dict[str, Any], str, int]] = [
    ("core_start_run", START, "summary", 2000),
    ("core_report_usage", USAGE | {"token_usage": {}}, "traces", 200),
    ("core_report_usage", USAGE, "token_usage.prompt_preview", 2000),
    ("core_end_run", END, "summary", 2000),
    ("core_end_run", END, "traces", 200),
    ("core_end_run", END, "token_usage.prompt_preview", 2000),
    ("core_record_failure", FAILURE, "summary", 2000),
    ("core_record_failure", FAILURE, "error", 8000),
    ("record_run", RECORD, "agent", 128),
    ("record_run", RECORD, "summary", 2000),
    ("record_run", RECORD, "ticket", 64),
]
"""Every limit that the Run Tools document names."""
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("core_start_run", {}, "project_key: is required"),
    ("core_start_run", {"project": "acme"}, "project: is not a parameter of this tool"),
    ("core_start_run", START | {"agent_id": "sage"}, "agent_id: Input should be a valid UUID"),
    ("core_start_run", START | {"run_id": "1"}, "run_id: Input should be a valid UUID"),
    ("core_start_run", START | {"meta_json": "{}"}, "meta_json: must be a JSON object"),
    ("core_start_run", START | {"meta_json": {"a": [{"b": "\x00"}]}}, r"meta_json\.a\[0\]\.b: must not hold NUL"),
    ("core_start_run", START | {"event_id": "two words"}, "event_id: "),
    ("core_report_usage", {"token_usage": {}}, "run_id: is required"),
    ("core_report_usage", USAGE, "token_usage: is required"),
    ("core_report_usage", USAGE | {"token_usage": {"tokens": 1}}, "token_usage.tokens: is not a field"),
    ("core_report_usage", USAGE | {"token_usage": {"input_tokens": -1}}, "token_usage.input_tokens: .*equal to 0"),
    ("core_report_usage", USAGE | {"token_usage": {"input_tokens": "8"}}, "token_usage.input_tokens: must be a whole"),
    ("core_report_usage", USAGE | {"token_usage": {"cost_usd": -0.1}}, "token_usage.cost_usd: "),
    ("core_report_usage", USAGE | {"token_usage": {}, "traces": [1]}, "traces.0: must be a JSON object"),
    ("core_end_run", {"run_id": RUN}, "status: is required"),
    ("core_end_run", {"run_id": RUN, "status": "success"}, "status: .*'completed', 'failed' or 'interrupted'"),
    ("core_record_failure", {"project_key": "acme"}, "summary: is required"),
    ("core_record_failure", FAILURE | {"task_id": "T-1"}, "task_id: Input should be a valid UUID"),
    ("core_record_failure", FAILURE | {"agent_id": "sage"}, "agent_id: Input should be a valid UUID"),
    ("core_record_failure", FAILURE | {"context": [1]}, "context: must be a JSON object"),
    ("record_run", {"project_key": "acme", "summary": "x"}, "agent: is required"),
    ("record_run", {"project_key": "acme", "agent": "sage"}, "summary: is required"),
    ("record_run", RECORD | {"agent": "  "}, "agent: "),
    ("core_heartbeat", {}, "run_id: is required"),
]


def logged(settings: ConnectionSettings) -> int:
    """How many events stand in the topic."""
    return count_records(settings, RUN_EVENTS.name(settings.topic_prefix), "read_committed")


def _filled(base: dict[str, Any], field: str, size: int) -> dict[str, Any]:
    outer, _, inner = field.partition(".")
    if inner:
        return base | {outer: {inner: "x" * size}}
    return base | {field: [{"step": 1}] * size if field == "traces" else "é" * size}


async def test_every_limit_holds_at_its_edge_and_names_field_and_limit_beyond(
    shared: ConnectionSettings, server: Served
) -> None:
    before = logged(shared)
    key = make_key(shared, "acme")
    async with over_http(server.url, key) as client:
        for tool, base, field, limit in LIMITS:
            assert (await answer(client, tool, **_filled(base, field, limit)))["event_id"]
            said = await refusal(client, tool, **_filled(base, field, limit + 1))
            assert said.startswith(f"{field}: "), said
            assert str(limit) in said
            assert "xx" not in said
    assert logged(shared) == before + len(LIMITS)


async def test_wrong_arguments_are_named_and_nothing_is_recorded(shared: ConnectionSettings, server: Served) -> None:
    before = logged(shared)
    key = make_key(shared, "acme")
    async with over_http(server.url, key) as client:
        for tool, arguments, said in WRONG:
            with pytest.raises(AssertionError, match=said):
                raise AssertionError(await refusal(client, tool, **arguments))
    assert logged(shared) == before


async def test_every_answer_carries_run_and_event_and_an_event_id_fixes_both(
    shared: ConnectionSettings, server: Served
) -> None:
    key = make_key(shared, "acme")
    async with over_http(server.url, key) as client:
        mine = str(run_id_of("acme", "mine"))
        for tool, arguments in (("core_start_run", START), ("record_run", RECORD)):
            for _ in range(2):
                told = await answer(client, tool, **arguments, event_id="mine")
                assert told == {"run_id": mine, "event_id": "mine"}
            assert (await answer(client, tool, **arguments))["run_id"] != mine
        of_a_run: list[tuple[str, dict[str, Any]]] = [
            ("core_start_run", START | USAGE),
            ("core_report_usage", USAGE | {"token_usage": {"input_tokens": 8400.0}}),
            ("core_heartbeat", USAGE),
            ("core_end_run", END),
            ("core_record_failure", FAILURE | USAGE),
        ]
        for tool, arguments in of_a_run:
            told = await answer(client, tool, **arguments)
            assert told["run_id"] == RUN
            assert told["event_id"]
        assert (await answer(client, "core_record_failure", **FAILURE))["run_id"] is None


async def test_another_project_and_a_missing_scope_are_refused_and_logged(
    shared: ConnectionSettings, server: Served
) -> None:
    before = logged(shared)
    key, reads, emits = (
        make_key(shared, "acme"),
        make_key(shared, "acme", "read"),
        make_key(shared, "acme", "emit"),
    )
    async with over_http(server.url, key) as client:
        for tool, arguments in (
            ("core_start_run", START),
            ("core_record_failure", FAILURE),
            ("record_run", RECORD),
        ):
            said = await refusal(client, tool, **(arguments | {"project_key": "other"}))
            assert said == "this API key belongs to another project than 'other'"
    async with over_http(server.url, reads) as client:
        assert "lacks the scope 'emit'" in await refusal(client, "core_heartbeat", **USAGE)
        assert (await answer(client, "run_costs"))["total"]["runs"] == 0
    async with over_http(server.url, emits) as client:
        assert "lacks the scope 'read'" in await refusal(client, "get_run", **USAGE)
        await answer(client, "core_heartbeat", **USAGE)
    assert server.log.read_text().count('"named_project_key": "other"') == 3
    assert logged(shared) == before + 1


async def test_a_broker_that_is_away_is_told_within_two_seconds_with_what_to_repeat(
    settings: ConnectionSettings, tmp_path: Path
) -> None:
    key = make_key(settings, "acme")
    away = {"RUNLEDGER_KAFKA": f"127.0.0.1:{choose_port()}"}
    with served(settings, tmp_path, **away) as server:
        async with over_http(server.url, key) as client:
            said = await _within(2, client, "core_start_run", **START, event_id="mine")
            assert "outcome is unknown" in said
            assert "event_id='mine'" in said
            said = await _within(2, client, "record_run", **RECORD)
            assert "event_id='" in said


async def _within(seconds: float, client: Any, tool: str, **arguments: Any) -> str:  # noqa: ANN401  # JSON
    began = time.monotonic()
    said = await refusal(client, tool, **arguments)
    assert time.monotonic() - began < seconds
    return said
