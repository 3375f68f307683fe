"""Read CloudEvents from HTTP: binary, structured and batched mode (CloudEvents 1.0.2, HTTP protocol binding)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from starlette.datastructures import Headers

from runledger.access.errors import ForbiddenError
from runledger.access.http.credentials import forbidden
from runledger.access.http.errors import invalid
from runledger.access.keys import Principal
from runledger.producers.doors.telling import require_emit
from runledger.schemas.codec import event_of
from runledger.schemas.errors import DecodeError
from runledger.schemas.identifiers import run_id_of
from runledger.schemas.run_events import AnyRunEvent, FailureResolved, RunErased, RunTimedOut

STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"
BINARY = "application/json"
MAX_BATCH = 1000
_REQUIRED = ("specversion", "id", "source", "type")
_ONE_CALL = ("runledger.run.started.v1", "runledger.run.recorded.v1", "runledger.run.logged.v1")
"""Types whose run may be named by the event id alone."""


def documents_of(media_type: str, headers: Headers, body: object) -> list[Any]:
    """Give the events that a request holds, not validated.

    Args:
        media_type: one of the three above.
        headers: binary mode's attributes stand there.
        body: parsed JSON.

    Raises:
        HttpError: 422.
    """
    if media_type == STRUCTURED:
        return [body]
    if media_type == BINARY:
        attributes = {name[3:]: unquote(value) for name, value in headers.items() if name.startswith("ce-")}
        return [{**attributes, "datacontenttype": BINARY, "data": body}]
    if not isinstance(body, list) or not body:
        raise invalid("body", "must be a JSON array of at least one event")
    if len(body) > MAX_BATCH:
        raise invalid("body", f"{len(body)} events, more than {MAX_BATCH}")
    return body


def read_event(principal: Principal, document: object) -> AnyRunEvent:
    """Validate an event and see that the caller may emit it.

    Raises:
        HttpError: 403 or 422.
    """
    if not isinstance(document, dict):
        raise invalid("body", "an event must be a JSON object")
    for name in _REQUIRED:
        if name not in document:
            raise invalid(name, "is missing; CloudEvents requires it")
    named = document.get("projectkey")
    try:
        require_emit(principal, named if isinstance(named, str) else None)
        event = event_of(_filled_in(principal, document))
        _check_type(principal, event)
    except ForbiddenError as error:
        raise forbidden(error) from error
    except DecodeError as error:
        field = error.field or "body"
        raise invalid(field, error.detail.removeprefix(f"{field}: ")) from error
    return event


def _filled_in(principal: Principal, document: dict[str, Any]) -> dict[str, Any]:
    filled_in = {"projectkey": principal.project_key, "time": datetime.now(UTC), **document}
    if "subject" not in document and document["type"] in _ONE_CALL and isinstance(document["id"], str):
        filled_in["subject"] = run_id_of(principal.project_key, document["id"])
    return filled_in


def _check_type(principal: Principal, event: AnyRunEvent) -> None:
    if isinstance(event, RunTimedOut):
        raise invalid("type", "only the processors themselves say that a run timed out")
    if isinstance(event, FailureResolved | RunErased):
        principal.require("admin")
