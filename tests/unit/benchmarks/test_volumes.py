"""Room that records take."""

from __future__ import annotations

from benchmarks.volumes import Volume, received_bytes


def test_received_bytes_are_those_of_all_brokers() -> None:
    assert received_bytes('{"brokers": {"a": {"rxbytes": 100}, "b": {"rxbytes": 23}}, "topics": {}}') == 123


def test_a_volume_is_told_for_each_record() -> None:
    volume = Volume(records=4, plain_bytes=1000, stored_bytes=301, per_second=7)

    assert volume.per_record() == {"records": 4, "plain_bytes": 250.0, "stored_bytes": 75.2}


def test_an_empty_topic_takes_nothing_for_each_record() -> None:
    assert Volume(0, 0, 0, 0).per_record()["plain_bytes"] == 0.0
