"""docs/metrics.md says of metrics and labels what the list does."""

from __future__ import annotations

from pathlib import Path

import pytest

from runledger.vitals.metrics import ALL_METRICS, LABELS
from runledger.vitals.settings import VitalsSettings

DOCS = Path(__file__).parents[4] / "docs"


def metrics_table() -> str:
    rows = [
        f"| `{it.name}` | {it.kind} | {it.unit} | {', '.join(f'`{label}`' for label in it.labels)} | "
        f"{', '.join(it.processes) if len(it.processes) < 8 else 'all'} | {it.help} |"
        for it in ALL_METRICS
    ]
    return "\n".join(["| metric | type | unit | labels | workers | meaning |", "|---|---|---|---|---|---|", *rows])


def labels_table() -> str:
    rows = [f"| `{name}` | {meaning} |" for name, meaning in LABELS.items()]
    return "\n".join(["| label | values |", "|---|---|", *rows])


def section(text: str, name: str) -> str:
    return text.partition(f"<!-- {name}:begin -->\n")[2].partition(f"\n<!-- {name}:end -->")[0]


@pytest.mark.parametrize(("name", "table"), [("metrics", metrics_table()), ("labels", labels_table())])
def test_the_tables_are_those_of_the_list(name: str, table: str) -> None:
    assert section((DOCS / "metrics.md").read_text(encoding="utf-8"), name) == table


def test_the_settings_of_the_vitals_are_documented() -> None:
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    for name in VitalsSettings.model_fields:
        assert f"`RUNLEDGER_{name.upper()}`" in text
