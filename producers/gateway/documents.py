"""The OpenAPI document: FastAPI writes the answers, this the bodies that we parse ourselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from runledger.producers.doors import (
    EndRun,
    Heartbeat,
    LogRun,
    RecordFailure,
    RecordRun,
    ReportUsage,
    ResolveFailure,
    StartRun,
)
from runledger.producers.gateway.cloud_event_documents import cloud_event_schemas
from runledger.producers.gateway.refining import refined
from runledger.producers.gateway.span_documents import span_schemas

INTERNAL = "/api/v1/internal/"
"""Below this path nothing is meant for the public (Agent Run Log, \"Endpoint\")."""
KEYED: list[dict[str, list[str]]] = [{"ApiKey": []}]
ANONYMOUS: list[dict[str, list[str]]] = [{}]
_REF = "#/components/schemas/{model}"
_RUN_ID = "00000000-0000-7000-8000-000000000001"
_USAGE = {"input_tokens": 8400, "output_tokens": 1200, "cost_usd": 0.028, "model": "claude-opus-4", "llm_calls": 3}
_EXAMPLES: dict[type[BaseModel], dict[str, Any]] = {
    LogRun: {"agent_id": "sage", "status": "success", "actions_taken": {"summary": "Closed a leak", "tests_run": 14}},
    StartRun: {"agent_id": "sage", "summary": "Deploy the rate limiter", "meta_json": {"ticket": "OPS-1"}},
    ReportUsage: {"token_usage": _USAGE, "traces": [{"call": 1}]},
    Heartbeat: {},
    EndRun: {"status": "completed", "summary": "Deployed and verified", "token_usage": _USAGE},
    RecordFailure: {"run_id": _RUN_ID, "summary": "Timeout in a migration", "error": "connect ETIMEDOUT"},
    ResolveFailure: {"note": "Raised the pool to 40 connections", "by": "ops"},
    RecordRun: {"agent": "sage", "summary": "Isolated the projects", "ticket": "OPS-2"},
}


def body_of(kind: type[BaseModel]) -> dict[str, Any]:
    """Document a body."""
    schema = {"$ref": _REF.format(model=kind.__name__)}
    return {
        "required": True,
        "content": {"application/json": {"schema": schema, "example": _EXAMPLES[kind]}},
    }


def openapi_of(app: FastAPI, *, internal: bool = False) -> Callable[[], dict[str, Any]]:
    """Give the function by which the app writes a document, once.

    There are two: what is internal is documented apart from what API keys open.
    """
    written: dict[str, Any] = {}

    def write() -> dict[str, Any]:
        if not written:
            written.update(_write(app, internal=internal))
        return written

    return write


def _write(app: FastAPI, *, internal: bool) -> dict[str, Any]:
    title = f"{app.title}, internal" if internal else app.title
    document = get_openapi(title=title, version=app.version, description=app.description, routes=app.routes)
    document["paths"] = {path: of for path, of in document["paths"].items() if path.startswith(INTERNAL) == internal}
    components = document.setdefault("components", {})
    own = _body_schemas() | cloud_event_schemas(_REF)
    components.setdefault("schemas", {}).update(refined(own) | span_schemas())
    components["securitySchemes"] = {
        "ApiKey": {"type": "http", "scheme": "bearer", "description": "An API key: runledger project create."}
    }
    return document


def _body_schemas() -> dict[str, Any]:
    _, written = models_json_schema([(kind, "validation") for kind in _EXAMPLES], ref_template=_REF)
    schemas: dict[str, Any] = written["$defs"]
    in_path = dict.fromkeys((ReportUsage, Heartbeat, EndRun), "run_id") | {ResolveFailure: "fingerprint"}
    for kind, named in in_path.items():
        # The path names it. A body may repeat it, but need not know that.
        schema = schemas[kind.__name__]
        del schema["properties"][named]
        schema["required"] = [name for name in schema["required"] if name != named]
    return schemas
