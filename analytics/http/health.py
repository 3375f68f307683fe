"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter

from runledger.access.http.answers import HealthAnswer, documented
from runledger.analytics.database import query
from runledger.analytics.http.gate import Tables

_NOT_READY = {503: "The database does not answer, or its tables are missing."}
router = APIRouter()


@dataclass(frozen=True, slots=True)
class _Readiness:
    is_ready: bool


@router.get("/healthz", operation_id="healthz")
async def healthz() -> HealthAnswer:
    """Tell that the process lives."""
    return HealthAnswer(status="ok")


@router.get("/readyz", operation_id="readyz", responses=documented(_NOT_READY))
async def readyz(tables: Tables) -> HealthAnswer:
    """Tell that the tables can be read."""
    await tables.select(_Readiness, query("select_readiness"), {})
    return HealthAnswer(status="ok")
