"""Every golden example is read and written again as it stands: the contract with readers in any language."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

import runledger.schemas
from runledger.schemas import topics
from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.codec import decode, decode_event, decode_run_log, encode, encode_event
from runledger.schemas.outcomes import Incident, RunOutcome
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.scoring import RunScored, ScoringJob
from runledger.schemas.snapshots import AgentHealth, Position, RunSnapshot

EXAMPLES = Path(runledger.schemas.__file__).parent / "examples"
RECORDS: dict[str, type[Any]] = {
    topics.RUNS.suffix: RunSnapshot,
    topics.RUN_OUTCOMES.suffix: RunOutcome,
    topics.AGENTS.suffix: AgentHealth,
    topics.INCIDENTS.suffix: Incident,
    topics.SCORING_JOBS.suffix: ScoringJob,
    topics.RUN_SCORES.suffix: RunScored,
    topics.SETTINGS.suffix: AgentSettings,
    topics.RUN_POSITIONS.suffix: Position,
    topics.AGENT_POSITIONS.suffix: Position,
}
WITHOUT_VALUES = {topics.DEAD_LETTERS.suffix}
"""Raw bytes; the examples' README describes them."""


def examples(*suffixes: str) -> list[Any]:
    return [
        pytest.param(suffix, path, id=f"{suffix}/{path.stem}")
        for suffix in suffixes
        for path in sorted((EXAMPLES / suffix).glob("*.json"))
    ]


def holds(written: Any, example: Any) -> bool:  # noqa: ANN401  # any JSON value
    """Whether everything in the example is in what was written; newer fields may stand beside."""
    if isinstance(example, dict):
        return isinstance(written, dict) and all(
            key in written and holds(written[key], value) for key, value in example.items()
        )
    if isinstance(example, list):
        return (
            isinstance(written, list)
            and len(written) == len(example)
            and all(holds(*pair) for pair in zip(written, example, strict=True))
        )
    return type(written) is type(example) and bool(written == example)


def test_every_topic_has_examples() -> None:
    with_examples = {folder.name for folder in EXAMPLES.iterdir() if any(folder.glob("*.json"))}
    assert with_examples == {topic.suffix for topic in topics.ALL_TOPICS} - WITHOUT_VALUES


def test_every_type_of_event_has_an_example() -> None:
    types = {orjson.loads(path.read_bytes())["type"] for path in (EXAMPLES / "run-events").glob("*.json")}
    assert types == {event.model_fields["type"].default for event in AnyRunEvent.__args__}


@pytest.mark.parametrize(("suffix", "path"), examples("run-events"))
def test_an_event_is_written_as_it_was_read(suffix: str, path: Path) -> None:
    value = path.read_bytes()
    assert orjson.loads(encode_event(decode_event(value))) == orjson.loads(value), suffix


def parsed(value: bytes) -> Any:  # noqa: ANN401  # any JSON value
    """Parse what was written; of two forms of a time in UTC, `Z` and `+00:00`, it makes one."""
    return orjson.loads(value.replace(b'+00:00"', b'Z"'))


@pytest.mark.parametrize(("suffix", "path"), examples(*RECORDS))
def test_a_record_is_written_as_it_was_read(suffix: str, path: Path) -> None:
    value = path.read_bytes()
    record: object = decode(RECORDS[suffix], value)
    assert holds(parsed(encode(record)), parsed(value))
    assert decode(RECORDS[suffix], encode(record)) == record


@pytest.mark.parametrize(("suffix", "path"), examples("run-log"))
def test_a_log_record_is_written_as_it_was_read(suffix: str, path: Path) -> None:
    value = path.read_bytes()
    record = decode_run_log(value)
    assert holds(orjson.loads(encode(record)), orjson.loads(value)), suffix
    assert decode_run_log(encode(record)) == record


@pytest.mark.parametrize(("suffix", "path"), examples("run-events"))
def test_the_cloudevents_sdk_reads_what_we_write(suffix: str, path: Path) -> None:
    event = decode_event(path.read_bytes())
    told = JSONFormat().read(CloudEvent, encode_event(event))
    assert told.get_specversion() == "1.0", suffix
    assert told.get_id() == event.event_id
    assert told.get_type() == event.type
    assert told.get_source() == event.source
    assert told.get_subject() == str(event.run_id)
    assert told.get_time() == event.occurred_at
    assert told.get_datacontenttype() == "application/json"
    assert told.get_extension("projectkey") == event.project_key
    assert told.get_extension("agentid") == event.agent_id
    assert told.get_data() == orjson.loads(path.read_bytes())["data"]


def test_the_cloudevents_sdk_refuses_a_bad_extension_name() -> None:
    """So that the test above would notice one."""
    document = orjson.loads((EXAMPLES / "run-events" / "run_started.json").read_bytes()) | {"agent_id": "sage"}
    with pytest.raises(Exception, match="agent_id"):
        JSONFormat().read(CloudEvent, orjson.dumps(document))
