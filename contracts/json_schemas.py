"""A topic's contract as JSON Schema 2020-12, made from the types that read and write its records.

What is required is what is always written. Whatever else is missing has its default; for most fields that is null,
which says that it is unknown. Fields that nobody knows yet may come: they are additions, not mistakes.
"""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from runledger.contracts.contracts import Contract, version_of
from runledger.contracts.examples import examples_of
from runledger.contracts.wording import summary_of, unit_of, wording_of
from runledger.schemas import agent_settings, outcomes, run_events, scoring, snapshots, usage
from runledger.schemas.topics import DEFAULT_PARTITIONS, PARTITIONER
from runledger.schemas.values import COST_LIMIT

DIALECT = "https://json-schema.org/draft/2020-12/schema"
KAFKA, UNIT = "x-kafka", "x-unit"
"""Keywords of ours; they say things and check nothing."""
_ALWAYS_WRITTEN = ("specversion", "source", "type", "schema_version")
"""They have defaults in code, and stand in every record all the same (CloudEvents 1.0 requires the first three)."""
_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$"
_UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
_COST = r"^[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_NAME = r"^[^\x00]*[^\x00\s][^\x00]*$"
_MODULES = (run_events, usage, snapshots, outcomes, scoring, agent_settings)


class _Generator(GenerateJsonSchema):
    """Pydantic's own, with the forms that stand on the wire: validators that know no formats check them too."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401  # as pydantic has it
        return False

    def datetime_schema(self, schema: core_schema.DatetimeSchema) -> JsonSchemaValue:
        return {"type": "string", "format": "date-time", "pattern": _TIME}

    def uuid_schema(self, schema: core_schema.UuidSchema) -> JsonSchemaValue:
        return {"type": "string", "format": "uuid", "pattern": _UUID}

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        """Say of a name that is trimmed that something is left of it."""
        made = super().str_schema(schema)
        return {**made, "pattern": _NAME} if schema.get("strip_whitespace") else made

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        return {"type": ["number", "string"], "minimum": 0, "exclusiveMaximum": int(COST_LIMIT), "pattern": _COST}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Name null among the types where that says all: validators then say what is wrong, not `none of two`."""
        inner = self.generate_inner(schema["schema"])
        if "type" not in inner:
            return super().nullable_schema(schema)
        named = inner["type"] if isinstance(inner["type"], list) else [inner["type"]]
        values = {"enum": [*inner["enum"], None]} if "enum" in inner else {}
        return {**inner, **values, "type": [*named, "null"]}


def json_schema_of(contract: Contract) -> dict[str, Any]:
    """Make a topic's contract: its records under `oneOf`; key, headers and the topic's own settings under `x-kafka`."""
    adapters = [(message.__name__, "validation", TypeAdapter(message)) for message in contract.messages]
    _, made = TypeAdapter.json_schemas(adapters, schema_generator=_Generator)  # type: ignore[arg-type]  # literal mode
    definitions = {name: _told(name, schema) for name, schema in sorted(made["$defs"].items())}
    for message in contract.messages:
        definitions[message.__name__]["examples"] = examples_of(contract, message)
    one_of_several = {"discriminator": {"propertyName": "type"}} if len(contract.messages) > 1 else {}
    return {
        "$schema": DIALECT,
        "$id": f"urn:runledger:contracts:{contract.name}",
        "title": contract.name,
        "description": f"Values of the topic {contract.topic.name()}.",
        "type": "object",
        **one_of_several,
        "oneOf": [{"$ref": f"#/$defs/{message.__name__}"} for message in contract.messages],
        "$defs": definitions,
        KAFKA: _kafka_of(contract),
    }


def _kafka_of(contract: Contract) -> dict[str, Any]:
    topic = contract.topic
    return {
        "topic": topic.name(),
        "key": contract.key(),
        "headers": contract.headers(),
        "tombstone_headers": contract.tombstone_headers() if contract.reasons else None,
        "partitions": DEFAULT_PARTITIONS,
        "partitioner": PARTITIONER,
        "config": topic.config(),
        "written_by": topic.written_by,
        "read_by": topic.read_by,
    }


def _told(name: str, schema: JsonSchemaValue) -> JsonSchemaValue:
    """Say of one record type what it is, which fields it always has, and what each means."""
    record_type = _type_named(name)
    fields: dict[str, Any] = schema.get("properties", {})
    for field, rules in fields.items():
        if "description" not in rules:
            rules["description"] = wording_of(record_type, field)
        unit = unit_of(field)
        if unit is not None:
            rules[UNIT] = unit
    if is_dataclass(record_type) and "schema_version" in fields:
        fields["schema_version"] |= {"const": version_of(record_type)}
    required = [field for field in fields if field in schema.get("required", ()) or field in _ALWAYS_WRITTEN]
    described = schema | {"description": summary_of(record_type)}
    return described | {"required": required} if required else described


def _type_named(name: str) -> type[Any]:
    return next(found for module in _MODULES if isinstance(found := getattr(module, name, None), type))
