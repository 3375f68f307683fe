"""Ids of calls that may be repeated."""

from __future__ import annotations

from typing import Annotated, TypeAlias
from uuid import uuid5

from pydantic import StringConstraints

from runledger.schemas.identifiers import NAMESPACE

IdempotencyKey: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]
"""1 to 255 visible ASCII characters, as a header takes them."""


def event_id_of(project_key: str, route: str, idempotency_key: str) -> str:
    """Make the event id of a call that its caller may repeat: the same call, the same id.

    Args:
        project_key: the caller's.
        route: what is called; the same key on another route is another call.
        idempotency_key: chosen by the caller.
    """
    return str(uuid5(NAMESPACE, f"{project_key}/{route}/{idempotency_key}"))
