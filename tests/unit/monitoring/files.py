"""The files of monitoring/, and the page about them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

TOP = Path(__file__).parents[3]
FOLDER = TOP / "monitoring"
PAGE = "docs/monitoring.md"

Rule = dict[str, Any]


def rules_file() -> dict[str, Any]:
    """Read alerts.yml."""
    loaded: dict[str, Any] = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))
    return loaded


def rules(kind: str) -> list[Rule]:
    """Return all rules of one kind, `alert` or `record`."""
    return [rule for group in rules_file()["groups"] for rule in group["rules"] if kind in rule]


def dashboard() -> dict[str, Any]:
    """Read grafana-dashboard.json."""
    loaded: dict[str, Any] = json.loads((FOLDER / "grafana-dashboard.json").read_bytes())
    return loaded


def page() -> str:
    """Read the page of the documentation."""
    return (TOP / PAGE).read_text(encoding="utf-8")
