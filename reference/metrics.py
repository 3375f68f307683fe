"""The two tables of docs/metrics.md that the list of metrics makes; the rest of the page is written by hand."""

from __future__ import annotations

from reference.markdown import code, table
from runledger.vitals.metrics import ALL_METRICS, LABELS, WORKERS


def fill_in(text: str) -> str:
    """Put the tables into the page, each between its two comments."""
    return _filled(_filled(text, "metrics", metrics_table()), "labels", labels_table())


def metrics_table() -> str:
    """List the metrics."""
    head = ("metric", "type", "unit", "labels", "workers", "meaning")
    return table(
        head,
        (
            [
                code(it.name),
                it.kind,
                it.unit,
                ", ".join(code(label) for label in it.labels),
                "all" if set(it.processes) == set(WORKERS) else ", ".join(it.processes),
                it.help,
            ]
            for it in ALL_METRICS
        ),
    )


def labels_table() -> str:
    """List the labels."""
    return table(("label", "values"), ([code(name), meaning] for name, meaning in LABELS.items()))


def _filled(text: str, name: str, made: str) -> str:
    begin, end = f"<!-- {name}:begin -->\n", f"\n<!-- {name}:end -->"
    before, _, rest = text.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"no place for {name}: the page has lost its comments")
    return f"{before}{begin}{made}{end}{after}"
