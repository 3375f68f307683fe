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

    assert load.count == 30_000
    assert load.runs == 2000


def test_a_probe_is_pending_until_its_row_counts_it() -> None:
    probes = Probes()
    for key in ("a", "a", "b"):
        probes.note(key)

    assert probes.pending({}) == 3
    assert probes.pending({"a": 1, "b": 1}) == 1
    assert probes.pending({"a": 9, "b": 9}) == 0
