from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from runledger.access.errors import ForbiddenError
from runledger.access.keys import Principal
from runledger.producers import doors
from runledger.schemas.codec import decode_event, encode_event
from runledger.schemas.identifiers import run_id_of
from runledger.schemas.run_events import FailureRecorded, RunStarted, UsageReported

PRINCIPAL = Principal("acme", frozenset({"emit", "admin"}), UUID(int=7))
RUN = "0199f0c2-7f3a-7cc1-8d3b-0a5c1f2e3d4c"
DOORS: list[tuple[Callable[..., doors.Told], type[Any], dict[str, Any]]] = [
    (doors.start_run, doors.StartRun, {"agent_id": " sage ", "summary": "s", "meta_json": {"a": None}, "task_id": "t"}),
    (
        doors.report_usage,
        doors.ReportUsage,
        {"run_id": RUN, "token_usage": {"input_tokens": 8400.0, "cost_usd": 0.028}, "traces": [{"a": 1}]},
    ),
    (doors.heartbeat, doors.Heartbeat, {"run_id": RUN, "agent_id": "a"}),
    (doors.end_run, doors.EndRun, {"run_id": RUN, "status": "failed", "token_usage": {"llm_calls": 7}, "summary": "s"}),
    (doors.record_failure, doors.RecordFailure, {"run_id": RUN, "summary": "s", "error": "e", "context": {"c": 1}}),
    (
        doors.resolve_failure,
        doors.ResolveFailure,
        {"fingerprint": "0f" * 32, "note": "n", "by": "ops", "agent_id": "a"},
    ),
    (doors.record_run, doors.RecordRun, {"agent": "a", "summary": "s", "ticket": "T-1", "meta_json": {"m": 1}}),
    (doors.log_run, doors.LogRun, {"agent_id": "a", "status": "partial", "actions_taken": {"summary": "s"}}),
]
IDS = [tell.__name__ for tell, _, _ in DOORS]


@pytest.mark.parametrize(("tell", "kind", "document"), DOORS, ids=IDS)
def test_every_event_is_one_that_the_log_takes(
    tell: Callable[..., doors.Told], kind: type[Any], document: dict[str, Any]
) -> None:
    """The data is constructed, not validated again: what is written must be read back the same."""
    told = tell(PRINCIPAL, doors.read_parameters(kind, document), "e")
    assert decode_event(encode_event(told.event)) == told.event
    assert (told.event.project_key, told.ids.event_id) == ("acme", "e")


@pytest.mark.parametrize(("tell", "kind", "document"), DOORS, ids=IDS)
def test_the_same_event_id_gives_the_same_ids_and_none_gives_new_ones(
    tell: Callable[..., doors.Told], kind: type[Any], document: dict[str, Any]
) -> None:
    parameters = doors.read_parameters(kind, document)
    assert tell(PRINCIPAL, parameters, "e").ids == tell(PRINCIPAL, parameters, "e").ids
    assert tell(PRINCIPAL, parameters).ids.event_id != tell(PRINCIPAL, parameters).ids.event_id


@pytest.mark.parametrize(("tell", "kind", "document"), DOORS, ids=IDS)
def test_another_project_is_refused_and_logged(
    tell: Callable[..., doors.Told], kind: type[Any], document: dict[str, Any]
) -> None:
    parameters = doors.read_parameters(kind, {**document, "project_key": "other"})
    with capture_logs() as logs, pytest.raises(ForbiddenError):
        tell(PRINCIPAL, parameters)
    assert [line["event"] for line in logs] == ["emit_refused"]


def test_a_principal_without_the_scope_tells_nothing() -> None:
    reader = Principal("acme", frozenset({"read"}))
    with pytest.raises(ForbiddenError):
        doors.start_run(reader, doors.StartRun())


def test_a_run_that_names_no_id_has_one_that_follows_from_the_event() -> None:
    told = doors.start_run(PRINCIPAL, doors.StartRun(), "e")
    assert told.ids.run_id == run_id_of("acme", "e")
    assert doors.start_run(PRINCIPAL, doors.StartRun(run_id=UUID(RUN)), "e").ids.run_id == UUID(RUN)


def test_a_run_may_begin_without_its_agent() -> None:
    event = doors.start_run(PRINCIPAL, doors.StartRun()).event
    assert isinstance(event, RunStarted)
    assert event.agent_id is None


def test_a_failure_of_no_run_is_detached_and_names_none() -> None:
    told = doors.record_failure(PRINCIPAL, doors.RecordFailure(summary="s"), "e")
    assert isinstance(told.event, FailureRecorded)
    assert told.event.data.detached
    assert told.ids.run_id is None


def test_usage_keeps_what_was_left_out_unknown() -> None:
    parameters = doors.read_parameters(doors.ReportUsage, {"run_id": RUN, "token_usage": {"llm_calls": 0}})
    event = doors.report_usage(PRINCIPAL, parameters).event
    assert isinstance(event, UsageReported)
    assert event.data.token_usage.model_dump(exclude_none=True) == {"llm_calls": 0}
