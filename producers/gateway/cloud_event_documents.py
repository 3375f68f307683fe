"""How the OpenAPI document describes the CloudEvents that may be sent."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from runledger.producers.gateway.cloud_events import MAX_BATCH
from runledger.schemas.run_events import RunEvent

CLOUD_EVENT = "CloudEvent"
_ALWAYS = ["id", "source", "specversion", "type"]
"""Attributes that CloudEvents 1.0.2 requires, section "Required attributes"."""
_FILLED_IN = {"projectkey", "time", "datacontenttype"}
"""What the gateway fills in: the credential's project, the present time."""
_RESERVED = {"RunTimedOut"}
EXAMPLE = {
    "specversion": "1.0",
    "id": "0199f0c2-7f3a-7cc1-8d3b-0a5c1f2e3d4c",
    "source": "nightly",
    "type": "runledger.run.ended.v1",
    "subject": "00000000-0000-7000-8000-000000000001",
    "data": {"status": "completed"},
}


def cloud_event_schemas(ref: str) -> dict[str, Any]:
    """Give the schemas of every event type that may be sent, and of their union."""
    written = TypeAdapter(RunEvent).json_schema(ref_template=ref)
    definitions: dict[str, Any] = {
        name: schema for name, schema in written["$defs"].items() if name not in _RESERVED | {"TimedOutData"}
    }
    events = []
    for name, schema in definitions.items():
        if "specversion" in schema.get("properties", {}):
            required = [*_ALWAYS, *schema.get("required", [])]
            schema["required"] = sorted(set(required) - _FILLED_IN)
            events.append({"$ref": ref.format(model=name)})
    return definitions | {CLOUD_EVENT: {"oneOf": events}}


def events_body() -> dict[str, Any]:
    """Document the three modes of the HTTP binding."""
    one = {"$ref": f"#/components/schemas/{CLOUD_EVENT}"}
    return {
        "required": True,
        # Binary mode cannot be said here: which headers it needs depends on the media type.
        "description": "Structured or batched; or binary: application/json holds the data, ce- headers the attributes.",
        "content": {
            "application/cloudevents+json": {"schema": one, "example": EXAMPLE},
            "application/cloudevents-batch+json": {
                "schema": {"type": "array", "items": one, "minItems": 1, "maxItems": MAX_BATCH},
                "example": [EXAMPLE],
            },
        },
    }
