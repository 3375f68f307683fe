from __future__ import annotations

from runledger.schemas.topics import ALL_TOPICS
from runledger.sinks.records import SOURCES
from runledger.watch.probe import Hop
from runledger.watch.watermark import TOPICS_OF


def test_the_last_hop_waits_for_every_topic_that_the_sink_writes_into_tables() -> None:
    assert set(TOPICS_OF[Hop.TABLES]) == set(SOURCES)
    assert set(TOPICS_OF[Hop.TABLES]) == {topic for topic in ALL_TOPICS if "sink" in topic.read_by}


def test_the_first_hops_wait_for_what_the_stages_read() -> None:
    for hop, stage in ((Hop.STAGE_1, "stage 1"), (Hop.STAGE_2, "stage 2")):
        assert all(stage in topic.read_by for topic in TOPICS_OF[hop])
