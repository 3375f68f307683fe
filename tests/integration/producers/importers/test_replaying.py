from __future__ import annotations

import time
from pathlib import Path

import pytest

import runledger
from runledger.producers import RunClient
from runledger.producers.importers import read_events, replay
from runledger.schemas.settings import ConnectionSettings
from tests.integration.producers.events import read_run_events

pytestmark = pytest.mark.integration
HANDMADE = Path(runledger.__file__).parent / "data" / "handmade_runs.jsonl"


def test_a_file_arrives_as_it_was_read_and_again_with_the_same_ids(topics: ConnectionSettings) -> None:
    events = list(read_events(HANDMADE))
    progress: list[int] = []
    with RunClient(kafka=topics.kafka, topic_prefix=topics.topic_prefix) as client:
        assert replay(events, client, on_progress=progress.append) == len(events)
        first = read_run_events(topics)
        replay(read_events(HANDMADE), client)
    assert progress[-1] == len(events)
    assert sorted(first, key=lambda event: event.event_id) == sorted(events, key=lambda event: event.event_id)
    assert len(read_run_events(topics)) == 2 * len(events)
    assert len({(event.run_id, event.event_id) for event in read_run_events(topics)}) <= len(events)


def test_the_rate_is_kept(topics: ConnectionSettings) -> None:
    events = list(read_events(HANDMADE))[:11]
    with RunClient(kafka=topics.kafka, topic_prefix=topics.topic_prefix) as client:
        began = time.monotonic()
        replay(events, client, rate=20)
        assert 0.5 <= time.monotonic() - began < 5


@pytest.mark.parametrize("rate", [0, -1])
def test_a_rate_of_nothing_is_refused(topics: ConnectionSettings, rate: float) -> None:
    with (
        RunClient(kafka=topics.kafka, topic_prefix=topics.topic_prefix) as client,
        pytest.raises(ValueError, match="above 0"),
    ):
        replay([], client, rate=rate)
