from __future__ import annotations

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from runledger.vitals import meters, metrics, process
from runledger.vitals.keeper import Keeper
from runledger.vitals.meters import Meters
from runledger.vitals.metrics import ALL_METRICS, HTTP_REQUESTS, HTTP_SECONDS, LABELS, LAG, RECORDS_READ, WORKERS
from runledger.vitals.settings import VitalsSettings


def samples(kept: Meters) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """{(sample, labels): value}."""
    families = text_string_to_metric_families(kept.exposition().decode())
    return {(it.name, tuple(sorted(it.labels.items()))): it.value for family in families for it in family.samples}


def test_names_are_unique_and_follow_the_rules_of_prometheus() -> None:
    names = [metric.name for metric in ALL_METRICS]
    assert len(set(names)) == len(names)
    for metric in ALL_METRICS:
        assert metric.name.startswith("runledger_")
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert bool(metric.buckets) == (metric.kind == "histogram"), metric.name
        assert set(metric.labels) <= LABELS.keys(), metric.name
        assert set(metric.processes) <= set(WORKERS), metric.name
        assert metric.help.endswith("."), metric.name


def test_the_list_holds_every_metric_that_is_defined() -> None:
    defined = {id(it) for it in vars(metrics).values() if isinstance(it, metrics.Metric)}
    assert defined == {id(it) for it in ALL_METRICS}


@pytest.mark.parametrize("worker", WORKERS)
def test_a_process_exposes_its_own_metrics_and_no_others(worker: str) -> None:
    families = {it.name for it in text_string_to_metric_families(Meters(worker).exposition().decode())}
    wanted = {it.name.removesuffix("_total") for it in ALL_METRICS if worker in it.processes}
    assert {name for name in families if name.startswith("runledger_")} == wanted
    assert "process_cpu_seconds" in families


def test_what_is_counted_put_and_observed_is_exposed() -> None:
    kept = Meters("sink")
    kept.count(RECORDS_READ, 5, "runs")
    kept.count(RECORDS_READ, 2, "runs")
    kept.count(RECORDS_READ, 0, "agents")
    kept.observe(metrics.COMMIT_SECONDS, 0.07, "sink")
    found = samples(kept)
    assert found["runledger_records_read_total", (("topic", "runs"),)] == 7
    assert ("runledger_records_read_total", (("topic", "agents"),)) not in found
    assert found["runledger_commit_seconds_bucket", (("le", "0.05"), ("reader", "sink"))] == 0
    assert found["runledger_commit_seconds_bucket", (("le", "0.1"), ("reader", "sink"))] == 1


def test_a_partition_that_went_to_another_process_is_no_longer_exposed() -> None:
    kept = Meters("sink")
    kept.replace(LAG, {("runs", "0"): 3, ("runs", "1"): 4})
    kept.replace(LAG, {("runs", "1"): 5})
    found = {key: value for key, value in samples(kept).items() if key[0] == "runledger_lag_records"}
    assert found == {("runledger_lag_records", (("partition", "1"), ("topic", "runs"))): 5}


def test_what_another_kind_of_process_exposes_is_not_kept() -> None:
    kept = Meters("relay")
    kept.count(HTTP_REQUESTS, 1, "/x", "200")
    kept.observe(HTTP_SECONDS, 1, "/x")
    kept.put(metrics.OPEN_RUNS, 1)
    assert b"/x" not in kept.exposition()
    assert b"open_runs" not in kept.exposition()


def test_nothing_is_put_into_the_registry_that_all_programs_share() -> None:
    before = {family.name for family in REGISTRY.collect()}
    kept = Meters("sink")
    kept.count(RECORDS_READ, 1, "runs")
    assert {family.name for family in REGISTRY.collect()} == before
    assert meters.CONTENT_TYPE.startswith("text/plain; version=0.0.4")


def test_telling_is_free_where_nobody_keeps() -> None:
    process.count(RECORDS_READ, 1, "runs")
    process.observe(HTTP_SECONDS, 1, "/x")
    process.put(LAG, 1, "runs", "0")
    process.told_to_end()


def test_telling_reaches_the_keeper_of_the_process() -> None:
    keeper = Keeper("sink", VitalsSettings(metrics_port=None))
    with process.kept_by(keeper):
        process.count(RECORDS_READ, 1, "runs")
    process.count(RECORDS_READ, 1, "runs")
    assert samples(keeper.meters)["runledger_records_read_total", (("topic", "runs"),)] == 1
