"""What every route works with: the caller and the tables."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from runledger.access.http.credentials import authenticate
from runledger.access.keyring import KeyRing
from runledger.analytics.database import Database

_DOCUMENTED = HTTPBearer(
    scheme_name="ApiKey", description="An API key with the scope read: runledger project create.", auto_error=False
)
"""Only documents: `authenticate` reads the header itself."""


class Gate:
    """Lets calls in, to the tables of their own project. One per process.

    Args:
        keys: the living API keys.
        database: the tables.
    """

    def __init__(self, keys: KeyRing, database: Database) -> None:
        self.keys = keys
        self.database = database


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
    return (await authenticate(request, gate.keys, "read")).project_key


Project = Annotated[str, Depends(project_of)]
