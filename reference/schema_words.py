"""JSON Schemas of parameters in a few words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from reference.markdown import code, prose

Schema = Mapping[str, Any]
_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "object",
    "array": "list",
}
_FORMATS = {"uuid": "UUID", "date-time": "time"}


def resolved(schema: Schema, definitions: Schema) -> Schema:
    """Follow a reference to where it leads."""
    reference = schema.get("$ref")
    return schema if reference is None else definitions[reference.rpartition("/")[2]]


def form(schema: Schema, definitions: Schema) -> str:
    """Say what may stand there: its type, values and bounds. That null may stand for nothing is left out."""
    schema = resolved(schema, definitions)
    choices = [one for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ())) if one.get("type") != "null"]
    if choices:
        return " or ".join(dict.fromkeys(form(one, definitions) for one in choices))
    if "const" in schema:
        return code(schema["const"])
    if "enum" in schema:
        return ", ".join(code(value) for value in schema["enum"] if value is not None)
    named = schema.get("type", "")
    kinds = [one for one in (named if isinstance(named, list) else [named]) if one != "null"]
    words = " or ".join(_TYPES.get(one, "any JSON") for one in kinds)
    if "array" in kinds and "items" in schema:
        words = f"list of {form(schema['items'], definitions)}"
    return _FORMATS.get(schema.get("format", ""), words) + _bounds(schema)


def about(schema: Schema, definitions: Schema) -> str:
    """Give the words of a schema, or those of the one choice that is not null."""
    schema = resolved(schema, definitions)
    choices = [resolved(one, definitions) for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    return prose(schema.get("description") or next((one["description"] for one in choices if "description" in one), ""))


def default(schema: Schema) -> str:
    """Say what holds where it is left out; nothing where that is null."""
    value = schema.get("default")
    if value in (None, "", [], {}):
        return ""
    return code(value if isinstance(value, str) else orjson.dumps(value).decode())


def rows(schema: Schema, definitions: Schema, parent: str = "") -> Iterator[list[str]]:
    """Tell an object's fields, and below each the fields that it has itself: name, value, needed, words."""
    for name, field in schema.get("properties", {}).items():
        needed = "required" if name in schema.get("required", ()) else default(field)
        yield [code(parent + name), form(field, definitions), needed, about(field, definitions)]
        choices = [field, *field.get("anyOf", ())]
        inner = next((one for one in (resolved(it, definitions) for it in choices) if "properties" in one), None)
        if inner is not None:
            yield from rows(inner, definitions, f"{parent}{name}.")


def _bounds(schema: Schema) -> str:
    told = []
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        told.append(f"{low:g} to {high:g}" if high < 1e6 else f"at least {low:g}")  # noqa: PLR2004  # no bound people meet
    elif low is not None:
        told.append(f"at least {low:g}")
    if (limit := schema.get("exclusiveMaximum")) is not None:
        told.append(f"less than {limit:,.0f}")
    if (most := schema.get("maxLength")) is not None:
        least = schema.get("minLength", 0)
        told.append(f"{least} to {most} characters" if least else f"at most {most} characters")
    if (most := schema.get("maxItems")) is not None:
        told.append(f"at most {most}")
    return "".join(f", {one}" for one in told)
