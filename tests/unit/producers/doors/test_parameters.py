from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from runledger.producers.doors import (
    EndRun,
    Heartbeat,
    InvalidParameterError,
    LogRun,
    RecordFailure,
    RecordRun,
    ReportUsage,
    StartRun,
    read_parameters,
)

RUN = "0199f0c2-7f3a-7cc1-8d3b-0a5c1f2e3d4c"


@pytest.mark.parametrize(
    ("kind", "least"),
    [
        (StartRun, {}),
        (ReportUsage, {"run_id": RUN, "token_usage": {}}),
        (Heartbeat, {"run_id": RUN}),
        (EndRun, {"run_id": RUN, "status": "interrupted"}),
        (RecordFailure, {"summary": "s"}),
        (RecordRun, {"agent": "a", "summary": "s"}),
        (LogRun, {"agent_id": "a", "status": "partial"}),
    ],
)
def test_each_door_requires_what_the_documents_require_and_no_more(
    kind: type[BaseModel], least: dict[str, Any]
) -> None:
    read_parameters(kind, least)
    for name in least:
        with pytest.raises(InvalidParameterError) as raised:
            read_parameters(kind, {given: value for given, value in least.items() if given != name})
        assert raised.value.field == name


@pytest.mark.parametrize(
    ("kind", "document", "field"),
    [
        (StartRun, {"agent": "a"}, "agent"),
        (StartRun, {"meta_json": {"a": [{"b": "\x00"}]}}, "meta_json.a[0].b"),
        (StartRun, {"meta_json": {"a": "x" * 262_144}}, "meta_json"),
        (StartRun, {"project_key": "Acme"}, "project_key"),
        (ReportUsage, {"run_id": RUN, "token_usage": {"input_tokens": True}}, "token_usage.input_tokens"),
        (ReportUsage, {"run_id": RUN, "token_usage": {"tokens": 1}}, "token_usage.tokens"),
        (ReportUsage, {"run_id": RUN, "token_usage": {}, "traces": [{}, {"a": 2**64}]}, "traces.1.a"),
        (ReportUsage, {"run_id": RUN, "token_usage": {}, "traces": {}}, "traces"),
        (EndRun, {"run_id": RUN, "status": "success"}, "status"),
        (LogRun, [], "body"),
        (LogRun, None, "body"),
    ],
)
def test_the_offending_parameter_is_named(kind: type[BaseModel], document: object, field: str) -> None:
    with pytest.raises(InvalidParameterError) as raised:
        read_parameters(kind, document)
    assert raised.value.field == field


def test_a_long_path_is_shortened() -> None:
    with pytest.raises(InvalidParameterError) as raised:
        read_parameters(StartRun, {"meta_json": {"k" * 1000: "\x00"}})
    assert len(raised.value.field) == 201


def test_a_refusal_never_quotes_the_value() -> None:
    with pytest.raises(InvalidParameterError) as raised:
        read_parameters(LogRun, {"agent_id": "a", "status": "hunter2"})
    assert "hunter2" not in str(raised.value)
