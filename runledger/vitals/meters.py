"""The metrics of one process, in a registry of its own."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from runledger.vitals.metrics import ALL_METRICS, INFO, Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Meters:
    """Counts what a process does. What its kind of process does not expose is not kept.

    Args:
        process: name of the worker.
    """

    def __init__(self, process: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they double the lines, and nobody asks for them
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._counters: dict[Metric, Counter] = {}
        self._gauges: dict[Metric, Gauge] = {}
        self._histograms: dict[Metric, Histogram] = {}
        # Asking the library for the child of label values costs more than counting.
        self._counts: dict[tuple[Metric, tuple[str, ...]], Counter] = {}
        self._observed: dict[tuple[Metric, tuple[str, ...]], Histogram] = {}
        self._replaced: dict[Metric, set[tuple[str, ...]]] = {}
        for metric in ALL_METRICS:
            if process in metric.processes:
                self._make(metric)
        self.put(INFO, 1, process, version("runledger"))

    def _make(self, metric: Metric) -> None:
        match metric.kind:
            case "counter":
                self._counters[metric] = Counter(metric.name, metric.help, metric.labels, registry=self._registry)
            case "gauge":
                self._gauges[metric] = Gauge(metric.name, metric.help, metric.labels, registry=self._registry)
            case "histogram":
                self._histograms[metric] = Histogram(
                    metric.name, metric.help, metric.labels, registry=self._registry, buckets=metric.buckets
                )

    def count(self, metric: Metric, amount: float, *values: str) -> None:
        """Add to a counter; nothing where there is nothing to add, so that only what happened has a line."""
        if amount <= 0 or (family := self._counters.get(metric)) is None:
            return
        counter = self._counts.get((metric, values))
        if counter is None:
            counter = self._counts[metric, values] = family.labels(*values) if values else family
        counter.inc(amount)

    def put(self, metric: Metric, value: float, *values: str) -> None:
        """Set a gauge."""
        gauge = self._gauges.get(metric)
        if gauge is not None:
            (gauge.labels(*values) if values else gauge).set(value)

    def replace(self, metric: Metric, all_values: Mapping[tuple[str, str], float] | Mapping[tuple[str], float]) -> None:
        """Set a gauge for these label values, and for no others."""
        gauge = self._gauges.get(metric)
        if gauge is None:
            return
        for values, value in all_values.items():
            gauge.labels(*values).set(value)
        for gone in self._replaced.get(metric, set()) - set(all_values):
            gauge.remove(*gone)
        self._replaced[metric] = set(all_values)

    def observe(self, metric: Metric, value: float, *values: str) -> None:
        """Add to a histogram."""
        if (family := self._histograms.get(metric)) is None:
            return
        histogram = self._observed.get((metric, values))
        if histogram is None:
            histogram = self._observed[metric, values] = family.labels(*values) if values else family
        histogram.observe(value)

    def exposition(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self._registry)
