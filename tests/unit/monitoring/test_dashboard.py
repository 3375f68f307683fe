"""The dashboard for Grafana can be loaded, and shows what there is."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import pytest

from runledger.vitals.metrics import ALL_METRICS
from tests.unit.monitoring.files import dashboard
from tests.unit.monitoring.promql import TARGET, Labels, labels_of, names_in, samples

DASHBOARD = dashboard()
Panel = dict[str, Any]
PANELS: list[Panel] = DASHBOARD["panels"]
SHOWN = [panel for panel in PANELS if panel["type"] != "row"]
ROWS = ["Is it well?", "Flow", "Latency", "Sink", "State", "Cost", "Doors (HTTP)"]
UNITS = {"s", "short", "bytes", "cps", "cpm", "reqps", "percentunit", "currencyUSD"}
"""Grafana's names; one that it does not know it prints behind the number."""
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24


def title_of(panel: Panel) -> str:
    return f"{panel['id']} {panel['title']}"


def known() -> dict[str, Labels]:
    """All samples, and Prometheus's own of its alerts."""
    return samples() | {"ALERTS": TARGET | {"alertname", "alertstate", "severity", "process"}}


def expression(target: Panel) -> str:
    """A target's expression as Prometheus gets it from Grafana."""
    text = str(target["expr"]).replace("$__rate_interval", "1m")
    assert "$" not in text, "a variable that the dashboard does not have"
    return text


def test_it_is_made_for_import_with_a_source_to_choose() -> None:
    assert DASHBOARD["schemaVersion"] >= 39
    assert "id" not in DASHBOARD, "an id belongs to one Grafana"
    assert "__inputs" not in DASHBOARD
    assert DASHBOARD["title"] == "Runledger"
    (variable,) = DASHBOARD["templating"]["list"]
    assert (variable["name"], variable["type"], variable["query"]) == ("datasource", "datasource", "prometheus")


def test_every_source_is_the_chosen_one() -> None:
    for panel in SHOWN:
        assert panel["datasource"] == SOURCE
        assert all(target["datasource"] == SOURCE for target in panel["targets"])


def test_panels_have_ids_of_their_own_and_stand_in_rows() -> None:
    ids = [panel["id"] for panel in PANELS]
    assert len(ids) == len(set(ids))
    assert [panel["title"] for panel in PANELS if panel["type"] == "row"] == ROWS
    assert PANELS[0]["type"] == "row"
    assert all(panel["panels"] == [] for panel in PANELS if panel["type"] == "row")
    titles = [(panel["title"]) for panel in SHOWN]
    assert len({*titles}) >= len(titles) - 2, "an age and a count are shown as a number and as a line"


def test_panels_lie_within_the_page_beside_each_other() -> None:
    for panel in PANELS:
        place = panel["gridPos"]
        assert place.keys() == {"x", "y", "w", "h"}
        assert place["w"] > 0
        assert place["h"] > 0
        assert 0 <= place["x"] <= WIDTH - place["w"]
    for one, other in combinations(PANELS, 2):
        a, b = one["gridPos"], other["gridPos"]
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        above = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert beside or above, (title_of(one), title_of(other))


def test_panels_stand_in_the_order_in_which_they_are_read() -> None:
    places = [(panel["gridPos"]["y"], panel["gridPos"]["x"]) for panel in PANELS]
    assert places == sorted(places)


@pytest.mark.parametrize("panel", SHOWN, ids=title_of)
def test_a_panel_says_what_it_shows_and_in_which_unit(panel: Panel) -> None:
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    references = [target["refId"] for target in panel["targets"]]
    assert references
    assert len(references) == len(set(references))


@pytest.mark.parametrize("panel", SHOWN, ids=title_of)
def test_a_panel_asks_for_what_there_is_and_names_it_by_its_labels(panel: Panel) -> None:
    for target in panel["targets"]:
        labels = labels_of(expression(target), known())
        assert {*re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])} <= labels
        if panel["type"] == "timeseries":
            told = all("{{" + label + "}}" in target["legendFormat"] for label in labels)
            assert told, "two lines would have one name"


def test_annotations_ask_for_what_there_is() -> None:
    asked = [it for it in DASHBOARD["annotations"]["list"] if "expr" in it]
    assert [it["datasource"] for it in asked] == [SOURCE]
    for it in asked:
        labels_of(expression(it), known())


def test_every_metric_of_the_list_is_shown() -> None:
    asked = set().union(*(names_in(expression(target)) for panel in SHOWN for target in panel["targets"]))
    shown = {re.sub(r"_(bucket|count|sum)\Z", "", name) for name in asked}
    assert {metric.name for metric in ALL_METRICS} <= shown
