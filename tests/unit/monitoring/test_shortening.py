"""The rules that are tried are those of the file, but for their times."""

from __future__ import annotations

import re

import promql_parser as promql
import pytest

from tests.monitoring.shortening import shortened, shortened_durations
from tests.unit.monitoring.files import rules_file


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("rate(x_total[5m])", "rate(x_total[15000ms])"),
        ("x offset 15m > 1d", "x offset 45000ms > 4320000ms"),
        ("delta(a:b:rate5m[10m:30s])", "delta(a:b:rate5m[30000ms:1500ms])"),
        ('x{status=~"5.."} >= 3', 'x{status=~"5.."} >= 3'),
    ],
)
def test_durations_are_divided_and_nothing_else(text: str, short: str) -> None:
    assert shortened_durations(text, 20) == short


def test_every_rule_keeps_all_but_its_times() -> None:
    file, short = rules_file(), shortened(rules_file(), 20)
    for group, quick in zip(file["groups"], short["groups"], strict=True):
        for rule, tried in zip(group["rules"], quick["rules"], strict=True):
            assert {**tried, "expr": 0, "for": 0} == {**rule, "expr": 0, "for": rule.get("for") and 0} | {"for": 0}
            assert without_times(tried["expr"]) == without_times(rule["expr"])
            promql.parse(tried["expr"])


def test_limits_of_time_are_written_so_that_they_are_divided() -> None:
    """A number of seconds in the clear would be tried as it is: the test of its alert would take minutes."""
    (rule,) = [
        it for group in rules_file()["groups"] for it in group["rules"] if it.get("alert", "").endswith("Behind")
    ]
    assert "> 2 * 60" in rule["expr"]
    (quick,) = [
        it for it in shortened(rules_file(), 20)["groups"][1]["rules"] if it.get("alert") == "RunledgerTablesBehind"
    ]
    assert quick["expr"].strip().endswith("> 2 * 3")
    assert quick["for"] == "6000ms"


def without_times(expression: str) -> str:
    return re.sub(r"(?<!\w)[0-9]+(ms|[smhd])\b|\* (60|3)\b", "", expression)
