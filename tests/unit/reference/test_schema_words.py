from __future__ import annotations

from typing import Any

import pytest

from reference.schema_words import about, default, form, rows

DEFINITIONS: dict[str, Any] = {
    "Usage": {
        "type": "object",
        "description": "What was used.",
        "properties": {"tokens": {"type": "integer", "minimum": 0, "maximum": 2**53}, "model": {"type": "string"}},
        "required": ["tokens"],
    }
}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 200}, "whole number, 1 to 200"),
        ({"type": "number", "minimum": 0, "exclusiveMaximum": 10**9}, "number, at least 0, less than 1,000,000,000"),
        (
            {"anyOf": [{"type": "string", "minLength": 1, "maxLength": 64}, {"type": "null"}]},
            "text, 1 to 64 characters",
        ),
        ({"enum": ["agent", "day", None]}, "`agent`, `day`"),
        ({"type": ["string", "null"], "format": "date-time"}, "time"),
        ({"type": "array", "items": {"type": "object"}, "maxItems": 200}, "list of object, at most 200"),
        ({"$ref": "#/components/schemas/Usage"}, "object"),
        ({}, "any JSON"),
    ],
)
def test_a_schema_in_words(schema: dict[str, Any], words: str) -> None:
    assert form(schema, DEFINITIONS) == words


def test_words_of_a_choice_are_found() -> None:
    assert about({"anyOf": [{"$ref": "#/$defs/Usage"}, {"type": "null"}]}, DEFINITIONS) == "What was used."


def test_a_default_of_nothing_is_not_told() -> None:
    values: list[object] = [None, {}, False, 50, "-heard_at"]
    assert [default({"default": value}) for value in values] == ["", "", "`false`", "`50`", "`-heard_at`"]


def test_an_object_is_told_with_its_fields() -> None:
    schema = {"properties": {"usage": {"$ref": "#/$defs/Usage"}}, "required": ["usage"]}
    assert list(rows(schema, DEFINITIONS)) == [
        ["`usage`", "object", "required", "What was used."],
        ["`usage.tokens`", "whole number, at least 0", "required", ""],
        ["`usage.model`", "text", "", ""],
    ]
