"""Latency of paced events."""

from __future__ import annotations

from benchmarks.latency import Probes, paced_load, percentile


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(value) for value in range(100, 0, -1)]

    assert percentile(values, 0.5) == 51.0
    assert percentile(values, 0.99) == 100.0
    assert percentile([7.0], 0.99) == 7.0


def test_a_paced_load_lasts_about_as_long_as_asked() -> None:
    load = paced_load(2000, 15)

    assert len(load.records) == 30_000
    assert len(load.probes) == 200


def test_in_every_second_of_a_paced_load_as_many_runs_begin_as_end() -> None:
    load = paced_load(200, 5)

    for second in range(5):
        told = [record.value for record in load.records[second * 200 : (second + 1) * 200]]
        assert sum(b"runledger.run.started.v1" in value for value in told) == 40
        assert sum(b"runledger.run.ended.v1" in value for value in told) == 40


def test_a_paced_load_keeps_each_runs_events_in_order_and_knows_what_went_before() -> None:
    load = paced_load(200, 5)
    whole = {record.key: [] for record in load.before + load.records}  # type: dict[bytes, list[bytes]]
    for record in load.before + load.records:
        whole[record.key].append(record.value)

    for values in whole.values():
        assert b"started" in values[0]
        assert all(b"started" not in value for value in values[1:])
        assert all(b"run.ended" not in value for value in values[:-1])
        assert len(values) == len(set(values)) <= 5
    before = [record.key.decode() for record in load.before]
    assert load.probes == {key: before.count(key) for key in load.probes}


def test_a_probe_is_pending_until_its_row_counts_it() -> None:
    probes = Probes()
    for key in ("a", "a", "b"):
        probes.note(key)

    assert probes.pending({}) == 3
    assert probes.pending({"a": 1, "b": 1}) == 1
    assert probes.pending({"a": 9, "b": 9}) == 0
