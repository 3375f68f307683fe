"""The routes that tell about runs: each names its parameters and its event, no more."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Request
from starlette.responses import Response

from runledger.producers.doors import (
    EndRun,
    Heartbeat,
    IdempotencyKey,
    LogRun,
    RecordFailure,
    RecordRun,
    ReportUsage,
    ResolveFailure,
    ResultIds,
    StartRun,
    end_run,
    heartbeat,
    log_run,
    record_failure,
    record_run,
    report_usage,
    resolve_failure,
    start_run,
)
from runledger.producers.gateway.answers import TELLING, TellAnswer
from runledger.producers.gateway.documents import ANONYMOUS, KEYED, body_of
from runledger.producers.gateway.gate import Gate, Telling
from runledger.schemas.run_events import Fingerprint

STARTS = Telling(StartRun, start_run)
REPORTS_USAGE = Telling(ReportUsage, report_usage)
LIVES = Telling(Heartbeat, heartbeat)
ENDS = Telling(EndRun, end_run)
FAILS = Telling(RecordFailure, record_failure)
RESOLVES = Telling(ResolveFailure, resolve_failure, scope="admin")
RECORDS = Telling(RecordRun, record_run)
LOGS = Telling(LogRun, log_run, internal=True)
router = APIRouter(prefix="/api/v1", responses=TELLING)


async def gate_of(request: Request) -> Gate:
    """Give the process's gate. Not blocking, so not a function for FastAPI to run in a thread."""
    gate: Gate = request.app.state.gate
    return gate


TheGate = Annotated[Gate, Depends(gate_of)]
Key = Annotated[
    IdempotencyKey | None,
    Header(alias="Idempotency-Key", description="The same key on the same route: the same ids, counted once."),
]


def _answer(ids: ResultIds) -> TellAnswer:
    return TellAnswer(run_id=ids.run_id, event_id=ids.event_id)


def _document(kind: type[Any], *, keyless: bool = False) -> dict[str, Any]:
    return {"requestBody": body_of(kind), "security": [*KEYED, *(ANONYMOUS if keyless else [])]}


@router.post(
    "/internal/agent-run-log", status_code=204, openapi_extra=_document(LogRun, keyless=True), operation_id="log_run"
)
async def post_agent_run_log(request: Request, gate: TheGate, idempotency_key: Key = None) -> Response:
    """Log what an agent did in one cycle. On a trusted listener it needs no key."""
    await gate.tell(request, LOGS, "internal/agent-run-log", idempotency_key)
    return Response(status_code=204)


@router.post("/runs", status_code=201, openapi_extra=_document(StartRun), operation_id="start_run")
async def post_run(request: Request, gate: TheGate, idempotency_key: Key = None) -> TellAnswer:
    """Begin a run."""
    return _answer(await gate.tell(request, STARTS, "runs", idempotency_key))


@router.post("/runs/{run_id}/usage", status_code=201, openapi_extra=_document(ReportUsage), operation_id="report_usage")
async def post_usage(request: Request, gate: TheGate, run_id: UUID, idempotency_key: Key = None) -> TellAnswer:
    """Add token usage to a run; reports add up."""
    route, named = f"runs/{run_id}/usage", {"run_id": str(run_id)}
    return _answer(await gate.tell(request, REPORTS_USAGE, route, idempotency_key, named))


@router.post("/runs/{run_id}/heartbeat", status_code=201, openapi_extra=_document(Heartbeat), operation_id="heartbeat")
async def post_heartbeat(request: Request, gate: TheGate, run_id: UUID, idempotency_key: Key = None) -> TellAnswer:
    """Show that a long run is alive."""
    route, named = f"runs/{run_id}/heartbeat", {"run_id": str(run_id)}
    return _answer(await gate.tell(request, LIVES, route, idempotency_key, named))


@router.post("/runs/{run_id}/end", status_code=201, openapi_extra=_document(EndRun), operation_id="end_run")
async def post_end(request: Request, gate: TheGate, run_id: UUID, idempotency_key: Key = None) -> TellAnswer:
    """End a run; usage given here is its total."""
    route, named = f"runs/{run_id}/end", {"run_id": str(run_id)}
    return _answer(await gate.tell(request, ENDS, route, idempotency_key, named))


@router.post("/failures", status_code=201, openapi_extra=_document(RecordFailure), operation_id="record_failure")
async def post_failure(request: Request, gate: TheGate, idempotency_key: Key = None) -> TellAnswer:
    """Record a failure, of a run or of none."""
    return _answer(await gate.tell(request, FAILS, "failures", idempotency_key))


@router.post(
    "/failures/{fingerprint}/resolve",
    status_code=201,
    openapi_extra=_document(ResolveFailure),
    operation_id="resolve_failure",
)
async def post_resolution(
    request: Request,
    gate: TheGate,
    fingerprint: Annotated[Fingerprint, Path(description="Kind of failure, in full.")],
    idempotency_key: Key = None,
) -> TellAnswer:
    """Say that a kind of failure is resolved, even before it happens. Needs a key with the scope `admin`."""
    route, named = f"failures/{fingerprint}/resolve", {"fingerprint": fingerprint}
    ids = await gate.tell(request, RESOLVES, route, idempotency_key, named)
    return _answer(ids)


@router.post("/records", status_code=201, openapi_extra=_document(RecordRun), operation_id="record_run")
async def post_record(request: Request, gate: TheGate, idempotency_key: Key = None) -> TellAnswer:
    """Record a whole run in one call."""
    return _answer(await gate.tell(request, RECORDS, "records", idempotency_key))
