"""The alerting rules ask for what there is, and each says what to do."""

from __future__ import annotations

import re

import promql_parser as promql
import pytest
import yaml

from tests.monitoring.test_alerts import CAUSED
from tests.unit.monitoring.files import FOLDER, PAGE, Rule, page, rules, rules_file
from tests.unit.monitoring.promql import Labels, labels_of, names_in, samples

ALERTS = rules("alert")
_DURATION = re.compile(r"[1-9][0-9]*[smhd]")
_TEMPLATE = re.compile(r"\{\{(?P<inside>[^}]*)\}\}")
_FUNCTIONS = {"humanize", "humanizeDuration", "humanizePercentage"}


def known() -> dict[str, Labels]:
    """All samples, and what the file itself records."""
    found = samples()
    for rule in rules("record"):
        found[rule["record"]] = labels_of(rule["expr"], found)
    return found


def name_of(rule: Rule) -> str:
    return str(rule["alert"])


def test_the_file_holds_groups_of_rules_and_nothing_else() -> None:
    file = rules_file()
    assert file.keys() == {"groups"}
    names = [group["name"] for group in file["groups"]]
    assert len(names) == len(set(names))
    for group in file["groups"]:
        assert group.keys() == {"name", "rules"}
        for rule in group["rules"]:
            assert rule.keys() in (
                {"record", "expr"},
                {"alert", "expr", "for", "labels", "annotations"},
            ), rule


def test_names_are_unique_and_ours() -> None:
    names = [name_of(rule) for rule in ALERTS]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"Runledger([A-Z][a-z]+)+", name) for name in names)
    assert all(re.fullmatch(r"runledger:[a-z_]+(:[a-z0-9_]+)?", rule["record"]) for rule in rules("record"))


def test_no_key_is_said_twice() -> None:
    """YAML takes the last of two, and says nothing."""
    text = (FOLDER / "alerts.yml").read_text(encoding="utf-8")

    def refuse_repeats(node: yaml.Node) -> None:
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            assert len(keys) == len(set(keys)), keys
        for child in node.value if isinstance(node, (yaml.MappingNode, yaml.SequenceNode)) else ():
            for it in child if isinstance(child, tuple) else (child,):
                refuse_repeats(it)

    node = yaml.compose(text)
    assert node is not None
    refuse_repeats(node)


def test_recording_rules_name_only_what_there_is() -> None:
    assert known().keys() >= {rule["record"] for rule in rules("record")}
    asked = set().union(*(names_in(rule["expr"]) for rule in ALERTS))
    assert {rule["record"] for rule in rules("record")} <= asked, "what nobody asks for is not recorded"


@pytest.mark.parametrize("rule", ALERTS, ids=name_of)
def test_an_alert_compares_what_there_is(rule: Rule) -> None:
    labels_of(rule["expr"], known())
    compared: list[str] = []

    def note(node: promql.Expr) -> None:
        if isinstance(node, promql.BinaryExpr):
            compared.append(str(node.op))

    promql.walk(promql.parse(rule["expr"]), note)
    assert {*compared} & {">", ">=", "=="}, "without a limit, an alert would always fire"


@pytest.mark.parametrize("rule", ALERTS, ids=name_of)
def test_an_alert_waits_and_says_how_urgent_it_is(rule: Rule) -> None:
    assert _DURATION.fullmatch(rule["for"])
    assert rule["labels"].keys() == {"severity"}
    assert rule["labels"]["severity"] in {"page", "ticket"}


@pytest.mark.parametrize("rule", ALERTS, ids=name_of)
def test_an_alerts_words_name_only_labels_that_it_has(rule: Rule) -> None:
    labels = labels_of(rule["expr"], known())
    words = rule["annotations"]
    assert words.keys() == {"summary", "description", "runbook"}
    assert all(text.strip() == text and text for text in words.values())
    for text in words.values():
        for template in _TEMPLATE.finditer(text):
            used = re.findall(r"\$labels\.(\w+)", template["inside"])
            assert {*used} <= labels, template[0]
            rest = {*re.findall(r"[A-Za-z]\w*", template["inside"])} - {*used}
            assert rest <= {"labels", "value", "if", "else", "end", "gt", "e9"} | _FUNCTIONS, template[0]


@pytest.mark.parametrize("rule", ALERTS, ids=name_of)
def test_the_runbook_has_a_section_for_each_alert(rule: Rule) -> None:
    name = name_of(rule)
    assert rule["annotations"]["runbook"] == f"{PAGE}#{name.lower()}"
    section = re.search(rf"^### {name}\n(?P<body>.*?)(?=^##|\Z)", page(), re.MULTILINE | re.DOTALL)
    assert section is not None
    for word in ("**Means**", "**Cause**", "**Remedy**"):
        assert word in section["body"]
    severity = rule["labels"]["severity"]
    assert f"| `{name}` | {severity} |" in page()


def test_the_page_names_no_other_alert() -> None:
    assert {*re.findall(r"Runledger[A-Z]\w+", page())} == {name_of(rule) for rule in ALERTS}


def test_each_alert_is_made_to_fire() -> None:
    assert {name_of(rule) for rule in ALERTS} == CAUSED
