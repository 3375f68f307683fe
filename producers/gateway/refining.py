"""Say in the document what pydantic's schemas leave out."""

from __future__ import annotations

from typing import Any

_REF = "#/components/schemas/"
_TRIMMED = {"agent_id", "agent", "agentid"}
_NOT_BLANK = r"^[^\x00]*[^\s\x00][^\x00]*$"
_DECIMAL = r"^[0-9]{1,9}(\.[0-9]{1,20})?$"
_TEXT = {"type": "string", "pattern": r"^[^\x00]*$"}
_FREE_FORM: dict[str, Any] = {
    "JsonObject": {
        "description": "Any JSON object: at most 32 levels deep and 256 KiB, no NUL characters.",
        "type": "object",
        "propertyNames": _TEXT,
        "additionalProperties": {"$ref": f"{_REF}JsonValue"},
    },
    "JsonValue": {
        "description": "Any JSON value; integers have at most 64 bits.",
        "anyOf": [
            {"type": "null"},
            {"type": "boolean"},
            _TEXT,
            {"type": "number"},
            {"type": "array", "items": {"$ref": f"{_REF}JsonValue"}},
            {"$ref": f"{_REF}JsonObject"},
        ],
    },
}


def refined(schemas: dict[str, Any]) -> dict[str, Any]:
    """Give the schemas with the rules of our value types: trimmed text, decimals as text, free-form objects."""
    for schema in schemas.values():
        for name, described in schema.get("properties", {}).items():
            for alternative in described.get("anyOf", [described]):
                _refine(name, alternative)
    return schemas | _FREE_FORM


def _refine(name: str, schema: dict[str, Any]) -> None:
    if schema.get("type") == "array":
        _refine(name, schema["items"])
    if schema.get("additionalProperties") is True and "properties" not in schema:
        del schema["additionalProperties"], schema["type"]
        schema["$ref"] = f"{_REF}JsonObject"
    if schema.get("type") == "string" and name in _TRIMMED:
        schema["pattern"] = _NOT_BLANK
    if schema.get("type") == "string" and name == "cost_usd":
        schema["pattern"] = _DECIMAL
