from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from runledger.contracts import CONTRACTS, Contract, contract_of
from runledger.contracts.json_schemas import json_schema_of
from runledger.contracts.wording import summary_of, unit_of, wording_of
from runledger.contracts.words import WORDS
from runledger.schemas.run_events import EndedData, RunStarted
from runledger.schemas.snapshots import RunSnapshot
from runledger.schemas.topics import ALL_TOPICS, DEAD_LETTERS, RUN_EVENTS, RUNS, SETTINGS
from runledger.subscribers.decoding import DECODERS

SCHEMAS = {contract.topic: json_schema_of(contract) for contract in CONTRACTS}


def fields() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every field of every contract: (type, name, rules)."""
    for schema in SCHEMAS.values():
        for name, definition in schema["$defs"].items():
            for field, rules in definition.get("properties", {}).items():
                yield name, field, rules


def test_every_topic_but_the_internal_ones_has_a_contract() -> None:
    assert {contract.topic for contract in CONTRACTS} == {topic for topic in ALL_TOPICS if not topic.internal}
    assert {contract.topic for contract in CONTRACTS} == DECODERS.keys()
    with pytest.raises(LookupError, match="dead-letters"):
        contract_of(DEAD_LETTERS)


def test_every_field_is_described_in_a_sentence() -> None:
    for name, field, rules in fields():
        assert rules["description"].endswith((".", ")")) or "`" in rules["description"], f"{name}.{field}"


def test_a_field_that_nobody_described_is_found_out() -> None:
    @dataclass
    class Unheard:
        of_this: int

    with pytest.raises(LookupError, match=r"Unheard\.of_this is not described"):
        wording_of(Unheard, "of_this")


def test_a_docstring_beside_a_field_describes_it() -> None:
    assert wording_of(RunSnapshot, "models") == WORDS["models"]
    assert wording_of(RunSnapshot, "final") == "The absolute usage on the end that counts."
    assert wording_of(EndedData, "status") == "How the run ended."


def test_no_words_lie_idle() -> None:
    named = {field for _, field, _ in fields()} | {f"{name}.{field}" for name, field, _ in fields()}
    assert WORDS.keys() <= named


def test_a_summary_is_one_sentence_without_its_source() -> None:
    assert summary_of(EndedData) == "How a run ended."
    assert summary_of(RunStarted).endswith("who runs it may be said later.")


@pytest.mark.parametrize(
    ("name", "unit"),
    [("input_tokens", "tokens"), ("cost_usd", "US dollars"), ("deadline_seconds", "seconds"), ("version", None)],
)
def test_units_stand_in_names(name: str, unit: str | None) -> None:
    assert unit_of(name) == unit
    assert {rules.get("x-unit") for _, field, rules in fields() if field == name} == {unit}


def test_what_is_always_written_is_required_and_the_rest_has_a_default() -> None:
    run = SCHEMAS[RUNS]["$defs"]["RunSnapshot"]
    assert run["required"] == ["project_key", "run_id", "born_offset", "version", "last_logged_at", "schema_version"]
    assert run["properties"]["schema_version"]["const"] == 1
    started = SCHEMAS[RUN_EVENTS]["$defs"]["RunStarted"]
    assert started["required"] == ["specversion", "source", "id", "projectkey", "subject", "time", "type"]
    for name, field, rules in fields():
        definition = next(schema["$defs"][name] for schema in SCHEMAS.values() if name in schema["$defs"])
        made_empty = "$ref" in rules or rules.get("type") in ("object", "array")
        assert field in definition.get("required", ()) or "default" in rules or made_empty, f"{name}.{field}"


def test_costs_are_numbers_or_exact_text() -> None:
    cost = SCHEMAS[RUN_EVENTS]["$defs"]["TokenUsage"]["properties"]["cost_usd"]
    assert cost["type"] == ["number", "string", "null"]
    assert (cost["minimum"], cost["exclusiveMaximum"]) == (0, 10**9)


def test_nothing_forbids_fields_that_come_later() -> None:
    assert not any(
        "additionalProperties" in schema["$defs"][name] for schema in SCHEMAS.values() for name in schema["$defs"]
    )


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_the_topics_own_facts_stand_beside(contract: Contract) -> None:
    kafka = SCHEMAS[contract.topic]["x-kafka"]
    assert kafka["topic"] == contract.topic.name()
    assert kafka["config"]["cleanup.policy"] == contract.topic.cleanup
    assert kafka["partitioner"] == "murmur2_random"
    assert (kafka["tombstone_headers"] is None) == (not contract.reasons)
    assert contract.reasons or contract.topic.cleanup != "compact"


def test_a_compacted_topic_may_hold_the_end_of_a_key() -> None:
    reason = SCHEMAS[SETTINGS]["x-kafka"]["tombstone_headers"]["properties"]["runledger_reason"]
    assert reason["enum"] == ["erased"]
