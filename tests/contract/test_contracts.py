"""The contracts hold for what is written, and promise no more than the ledger's own readers take."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given

from runledger.contracts import CONTRACTS, Contract
from runledger.contracts.examples import EXAMPLES, REFUSED, examples_of
from runledger.contracts.validating import ContractValidator
from runledger.processors import streaks
from runledger.processors.steps import At
from runledger.processors.streaks import StreakPolicy
from runledger.schemas.codec import CONTENT_TYPE, encode_event
from runledger.schemas.errors import DecodeError
from runledger.schemas.identifiers import agent_key, run_key
from runledger.schemas.outcomes import Incident, LoggedRun, StreakRevised
from runledger.schemas.quick_records import write_record
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.topics import INCIDENTS, RUN_EVENTS, RUN_LOG, RUN_OUTCOMES, RUNS, Topic
from runledger.subscribers.decoding import DECODERS
from tests.unit.processors.histories import fold, histories

VALIDATORS = {contract.topic: ContractValidator(contract) for contract in CONTRACTS}
RUN_KEY = "myproject/0199a2b0-1c00-7000-8000-000000000001"
AGENT_KEY = "myproject/sage"
MISPLACED: tuple[object, ...] = (
    None,
    True,
    -1,
    0,
    1.5,
    10**12,
    2**60,
    "",
    " ",
    "seven",
    "x" * 9000,
    [],
    [1],
    {},
    {"a": 1},
)


def key_of(topic: Topic) -> str:
    return RUN_KEY if topic.key == "project/run_id" else AGENT_KEY


def complaints(topic: Topic, value: bytes, key: str | None = None) -> list[str]:
    return list(VALIDATORS[topic].complaints(key or key_of(topic), value, []))


def files(*, refused: bool) -> list[Any]:
    pattern = f"{REFUSED}/*.json" if refused else "*.json"
    return [
        pytest.param(contract.topic, path, id=f"{contract.topic.suffix}/{path.stem}")
        for contract in CONTRACTS
        for path in sorted((EXAMPLES / contract.topic.suffix).glob(pattern))
    ]


@pytest.mark.parametrize(("topic", "path"), files(refused=False))
def test_each_golden_example_keeps_its_contract(topic: Topic, path: Path) -> None:
    assert complaints(topic, path.read_bytes()) == []


@pytest.mark.parametrize(("topic", "path"), files(refused=True))
def test_each_counter_example_is_refused_by_contract_and_reader(topic: Topic, path: Path) -> None:
    value = path.read_bytes()
    assert complaints(topic, value) != []
    with pytest.raises(DecodeError):
        DECODERS[topic](value)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_each_message_has_an_example_and_each_topic_a_counter_example(contract: Contract) -> None:
    assert all(examples_of(contract, message) for message in contract.messages)
    assert list((EXAMPLES / contract.topic.suffix / REFUSED).glob("*.json"))


def changes_of(document: Any) -> Iterator[Any]:  # noqa: ANN401  # any JSON value
    """Yield the document with one place at a time removed, or holding something else."""
    for *way, last in list(places(document)):
        for misplaced in MISPLACED:
            changed, place = into(document, way)
            place[last] = misplaced
            yield changed
        changed, place = into(document, way)
        del place[last]
        yield changed


def into(document: Any, way: list[Any]) -> tuple[Any, Any]:  # noqa: ANN401  # any JSON value
    """Copy a document, and return the copy and the part at the end of the way."""
    copied = copy.deepcopy(document)
    place = copied
    for step in way:
        place = place[step]
    return copied, place


def places(document: Any) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401  # any JSON value
    """Yield the way to every part of a document."""
    steps = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for step, part in steps:
        yield (step,)
        yield from ((step, *rest) for rest in places(part))


@pytest.mark.parametrize(("topic", "path"), files(refused=False))
def test_what_the_contract_takes_the_reader_takes(topic: Topic, path: Path) -> None:
    """So nobody who keeps the contract ends in dead-letters."""
    taken = 0
    for changed in changes_of(orjson.loads(path.read_bytes())):
        value = orjson.dumps(changed)
        if not complaints(topic, value):
            DECODERS[topic](value)
            taken += 1
    assert taken > 0


@given(histories())
def test_whatever_a_run_tells_and_comes_of_it_keeps_the_contracts(events: list[AnyRunEvent]) -> None:
    for event in events:
        key = run_key(event.project_key, event.run_id).decode()
        headers = [("ce_id", event.event_id.encode()), ("content-type", CONTENT_TYPE.encode())]
        assert list(VALIDATORS[RUN_EVENTS].complaints(key, encode_event(event), headers)) == []
    run, outcomes = fold(events)
    assert complaints(RUNS, write_record(run), run_key(run.project_key, run.run_id).decode()) == []
    health = None
    for number, outcome in enumerate(outcomes):
        key = agent_key(outcome.project_key, outcome.agent_id).decode()
        assert complaints(RUN_OUTCOMES, write_record(outcome), key) == []
        step = streaks.apply(health, outcome, At(number, outcome.logged_at), StreakPolicy(1, 1))
        health = step.state
        for emitted in step.emitted:
            match emitted:
                case LoggedRun() | StreakRevised():
                    assert complaints(RUN_LOG, write_record(emitted), key) == []
                case Incident():
                    assert complaints(INCIDENTS, write_record(emitted), key) == []


def test_keys_and_headers_are_part_of_the_contract() -> None:
    value = (EXAMPLES / "run-events" / "run_started.json").read_bytes()
    (wrong_key,) = VALIDATORS[RUN_EVENTS].complaints("MyProject/1", value, [])
    assert wrong_key.startswith("key: ")
    (wrong_header,) = VALIDATORS[RUN_EVENTS].complaints(RUN_KEY, value, [("content-type", b"text/plain")])
    assert wrong_header.startswith("headers.content-type: ")
    assert list(VALIDATORS[RUNS].complaints(RUN_KEY, None, [("runledger_reason", b"evicted")])) == []
    assert list(VALIDATORS[RUNS].complaints(RUN_KEY, None, [("runledger_reason", b"bored")])) != []
    assert list(VALIDATORS[RUN_EVENTS].complaints(RUN_KEY, None, [])) != []


@pytest.mark.parametrize("value", [b"{", b"[]", b"7", b'{"type": ["a"]}'])
def test_what_is_no_record_at_all_is_said_so(value: bytes) -> None:
    assert complaints(RUN_EVENTS, value) != []
    assert complaints(RUNS, value) != []


def test_complaints_never_quote_the_payload() -> None:
    document = orjson.loads((EXAMPLES / "run-events" / "run_ended.json").read_bytes())
    for name in document:
        said = complaints(RUN_EVENTS, orjson.dumps(document | {name: "my secret"}))
        assert "my secret" not in "".join(said)
