from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema_rs import Draft7Validator

from runledger.contracts import CONTRACTS, Contract
from runledger.contracts.asyncapi import asyncapi_of
from runledger.contracts.examples import EXAMPLES, REFUSED
from runledger.contracts.json_schemas import json_schema_of

DOCUMENT = asyncapi_of(CONTRACTS)
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]


def validator(message: str) -> Draft7Validator:
    """What holds payloads against a message of the document."""
    return Draft7Validator({**MESSAGES[message]["payload"], "components": {"schemas": SCHEMAS}}, validate_formats=True)


def test_every_reference_leads_somewhere_within_the_document() -> None:
    for reference in references(DOCUMENT):
        place: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
        assert place


def references(part: Any) -> set[str]:  # noqa: ANN401  # any JSON value
    if isinstance(part, list):
        return set().union(*map(references, part))
    if isinstance(part, dict):
        own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return own.union(*map(references, part.values()))
    return set()


def test_types_of_one_name_are_one_type() -> None:
    found: dict[str, dict[str, Any]] = {}
    for contract in CONTRACTS:
        for name, schema in json_schema_of(contract)["$defs"].items():
            bare = without_examples(schema)
            assert found.setdefault(name, bare) == bare, name


def without_examples(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: rules for name, rules in schema.items() if name != "examples"}


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_each_topic_is_a_channel_with_its_messages(contract: Contract) -> None:
    channel = DOCUMENT["channels"][contract.topic.suffix]
    assert channel["address"] == contract.topic.name()
    assert {message.__name__ for message in contract.messages} <= channel["messages"].keys()
    assert channel["bindings"]["kafka"]["topicConfiguration"]["cleanup.policy"] == [contract.topic.cleanup]
    assert f"tell-{contract.topic.suffix}" in DOCUMENT["operations"]


def test_draft_7_has_no_prefix_items_and_no_words_beside_references() -> None:
    text = json.dumps(SCHEMAS)
    assert "prefixItems" not in text
    assert "$defs" not in text
    for part in parts(SCHEMAS):
        assert "$ref" not in part or len(part) == 1


def parts(part: Any) -> list[dict[str, Any]]:  # noqa: ANN401  # any JSON value
    if isinstance(part, dict):
        return [part, *(inner for value in part.values() for inner in parts(value))]
    return [inner for value in part for inner in parts(value)] if isinstance(part, list) else []


@pytest.mark.parametrize("name", MESSAGES)
def test_each_message_has_examples_that_keep_it(name: str) -> None:
    message = MESSAGES[name]
    assert message["examples"]
    for example in message["examples"]:
        assert validator(name).is_valid(example.get("payload"))
        assert Draft7Validator(message["headers"]).is_valid(example.get("headers", {}))


def test_the_document_refuses_what_the_topics_contracts_refuse() -> None:
    """They are one contract in two forms."""
    for contract in CONTRACTS:
        names = [message.__name__ for message in contract.messages]
        for path in (EXAMPLES / contract.topic.suffix / REFUSED).glob("*.json"):
            payload = json.loads(path.read_text())
            assert not any(validator(name).is_valid(payload) for name in names), path.stem
