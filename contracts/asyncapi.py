"""The contracts of all topics as one AsyncAPI 3.0 document, which stands by itself.

AsyncAPI's own schemas are those of JSON Schema's draft 7, so the topics' contracts are put in that form here: every
tool that reads AsyncAPI reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from runledger.contracts.contracts import Contract
from runledger.contracts.json_schemas import KAFKA, json_schema_of
from runledger.schemas.codec import CONTENT_TYPE, EVENT_ID_HEADER
from runledger.schemas.topics import RUN_EVENTS, RUN_SCORES

_BINDING_VERSION = "0.5.0"
_TAKEN = {RUN_EVENTS, RUN_SCORES}
"""Topics into which programs of others may write too."""
_ABOUT = (
    "Runledger is the exact ledger of AI-agent runs. Agents tell events; everything that the ledger finds out stands "
    "in a topic. Read with isolation.level=read_committed. Fields that you do not know are additions: ignore them, and "
    "leave out records whose `type` you do not know. A field that is missing has its default."
)


def asyncapi_of(contracts: Iterable[Contract]) -> dict[str, Any]:
    """Put the contracts together."""
    contracts = tuple(contracts)
    made = {contract: json_schema_of(contract) for contract in contracts}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Runledger's topics",
            "version": version("runledger"),
            "description": _ABOUT,
            "license": {"name": "MIT", "url": "https://opensource.org/license/mit"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "description": "The brokers that RUNLEDGER_KAFKA names.",
                "variables": {"bootstrap": {"default": "127.0.0.1:9092", "description": "host:port of a broker"}},
            }
        },
        "channels": {contract.topic.suffix: _channel_of(contract, made[contract]) for contract in contracts},
        "operations": {name: body for contract in contracts for name, body in _operations_of(contract)},
        "components": {
            "messages": {name: body for contract in contracts for name, body in _messages_of(contract, made[contract])},
            "schemas": {
                name: _draft_7(schema, drop_examples=True)
                for contract in contracts
                for name, schema in made[contract]["$defs"].items()
            },
        },
    }


def _channel_of(contract: Contract, schema: dict[str, Any]) -> dict[str, Any]:
    topic, kafka = contract.topic, schema[KAFKA]
    config = topic.config()
    settings: dict[str, Any] = {
        "cleanup.policy": [topic.cleanup],
        "max.message.bytes": topic.max_message_bytes,
        **({} if topic.retention_ms is None else {"retention.ms": topic.retention_ms}),
    }
    return {
        "address": kafka["topic"],
        "title": contract.name,
        "description": (
            f"Written by {topic.written_by}; read by {topic.read_by}. The key is {topic.key}; its murmur2 hash chooses "
            f"the partition (partitioner {kafka['partitioner']}). The number of partitions never changes once the "
            f"topic is there. Timestamps are log times ({config['message.timestamp.type']})."
        ),
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _names_of(contract)},
        "bindings": {
            "kafka": {
                "topic": kafka["topic"],
                "partitions": kafka["partitions"],
                "topicConfiguration": settings,
                "bindingVersion": _BINDING_VERSION,
            }
        },
    }


def _operations_of(contract: Contract) -> Iterable[tuple[str, dict[str, Any]]]:
    suffix = contract.topic.suffix
    channel = {"$ref": f"#/channels/{suffix}"}
    if contract.topic in _TAKEN:
        yield f"take-{suffix}", {"action": "receive", "channel": channel, "summary": f"Runledger reads {suffix}."}
    yield f"tell-{suffix}", {"action": "send", "channel": channel, "summary": f"Runledger writes {suffix}."}


def _names_of(contract: Contract) -> list[str]:
    """Names of a topic's messages."""
    names = [message.__name__ for message in contract.messages]
    return [*names, f"{names[0]}Tombstone"] if contract.reasons else names


def _messages_of(contract: Contract, schema: dict[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    kafka = schema[KAFKA]
    bindings = {"kafka": {"key": kafka["key"], "bindingVersion": _BINDING_VERSION}}
    content_type = CONTENT_TYPE if contract.topic is RUN_EVENTS else "application/json"
    for message in contract.messages:
        told = schema["$defs"][message.__name__]
        yield (
            message.__name__,
            {
                "name": message.__name__,
                "title": message.__name__,
                "summary": told["description"],
                "contentType": content_type,
                "headers": kafka["headers"],
                "payload": {"$ref": f"#/components/schemas/{message.__name__}"},
                "bindings": bindings,
                "examples": [_example(payload) for payload in told["examples"]],
            },
        )
    if contract.reasons:
        name = _names_of(contract)[-1]
        headers = kafka["tombstone_headers"]
        yield (
            name,
            {
                "name": name,
                "title": name,
                "summary": "A record without a value: the key's end. The header says why.",
                "headers": headers,
                "payload": {"type": "null"},
                "bindings": bindings,
                "examples": [
                    {"headers": {header: reason}} for header in headers["properties"] for reason in contract.reasons
                ],
            },
        )


def _example(payload: dict[str, Any]) -> dict[str, Any]:
    if "specversion" not in payload:
        return {"payload": payload}
    return {"headers": {EVENT_ID_HEADER: payload["id"], "content-type": CONTENT_TYPE}, "payload": payload}


def _draft_7(schema: Any, *, drop_examples: bool = False) -> Any:  # noqa: ANN401  # any part of a schema
    """Put a schema of 2020-12 in the form of draft 7, where words beside a reference do not count."""
    if isinstance(schema, list):
        return [_draft_7(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {
        name: rules if name in {"default", "const", "enum"} else _draft_7(rules)
        for name, rules in schema.items()
        if not (drop_examples and name == "examples")
    }
    if "prefixItems" in made:
        made |= {"items": made.pop("prefixItems"), "additionalItems": False}
    if "$ref" in made:
        reference = {"$ref": made.pop("$ref").replace("#/$defs/", "#/components/schemas/")}
        return {"allOf": [reference], **made} if made else reference
    return made
