"""What every route works with: the caller and the tables."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from runledger.access.http.credentials import authenticate
from runledger.access.http.errors import HttpError, invalid
from runledger.access.keyring import KeyRing
from runledger.analytics.counters import CompletedCounts
from runledger.analytics.database import Database
from runledger.analytics.intelligence import IntelligenceReader

_DOCUMENTED = HTTPBearer(
    scheme_name="ApiKey", description="An API key with the scope read: runledger project create.", auto_error=False
)
"""Only documents: `authenticate` reads the header itself."""


class Gate:
    """Lets calls in, to the tables of their own project. One per process.

    Args:
        keys: the living API keys.
        database: the tables, for those who have a key.
        public: the same for everybody, by connections of their own: a flood of strangers takes none from the others.
        counts: of other systems, for the public figures.
        time_zone: in which the public figures' day begins unless another is asked for.
    """

    def __init__(
        self, keys: KeyRing, database: Database, public: Database, counts: CompletedCounts, time_zone: str
    ) -> None:
        self.keys = keys
        self.database = database
        self.intelligence = IntelligenceReader(public, counts)
        self.time_zone = time_zone


async def gate_of(request: Request) -> Gate:
    """Give the process's gate. Not blocking, so not a function for FastAPI to run in a thread."""
    gate: Gate = request.app.state.gate
    return gate


TheGate = Annotated[Gate, Depends(gate_of)]


async def tables_of(gate: TheGate) -> Database:
    """Give the tables."""
    return gate.database


Tables = Annotated[Database, Depends(tables_of)]


async def project_of(request: Request, gate: TheGate, _: Annotated[object, Security(_DOCUMENTED)]) -> str:
    """Name the project that the caller's key may read, and no other.

    Raises:
        HttpError: 401, 403 or 503.
    """
    principal = await authenticate(request, gate.keys, "read")
    refuse_repeated(request)
    return principal.project_key


Project = Annotated[str, Depends(project_of)]


def refuse_repeated(request: Request) -> None:
    """Refuse a parameter that is given twice: which one was meant?

    Raises:
        HttpError: 422.
    """
    named: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name in named:
            raise invalid(name[:80], "is given more than once")
        named.add(name)


def missing(what: str) -> HttpError:
    """Say that the project has no such thing; whether another project has one, nobody can tell from it."""
    return HttpError(404, "not_found", f"this project has no such {what}")
