"""Expressions that would never find anything are refused."""

from __future__ import annotations

import pytest

from tests.unit.monitoring.promql import WrongExpressionError, labels_of, names_in, samples

INFO = "on (job, instance) group_left (process) runledger_process_info"


@pytest.mark.parametrize(
    ("expression", "labels"),
    [
        ("up", {"job", "instance"}),
        ("sum(runledger_lag_records)", set()),
        ("sum by (topic) (runledger_lag_records) > 5", {"topic"}),
        (f"runledger_problem * {INFO}", {"job", "instance", "problem", "process"}),
        ("histogram_quantile(0.9, sum by (le, reader) (rate(runledger_commit_seconds_bucket[5m])))", {"reader"}),
        ('absent(runledger_process_info{process="sink"})', {"process"}),
        ("topk(3, sum by (route) (rate(runledger_http_requests_total[5m])))", {"route"}),
        ("sum by (reader) (runledger_states) or sum by (topic) (runledger_lag_records)", {"reader", "topic"}),
        ("delta(sum by (topic) (runledger_lag_records)[10m:1m]) / 2", {"topic"}),
    ],
)
def test_labels_are_found(expression: str, labels: set[str]) -> None:
    assert labels_of(expression, samples()) == labels


@pytest.mark.parametrize(
    "expression",
    [
        "sum(",
        "rate(up)",
        "no_such_metric",
        "runledger_visible_seconds",
        "sum by (agent) (runledger_lag_records)",
        'runledger_lag_records{reader="runs"}',
        'runledger_process_info{process="sinks"}',
        'runledger_visible_seconds_bucket{since="ever"}',
        "histogram_quantile(0.9, rate(runledger_visible_seconds_count[5m]))",
        "runledger_lag_records > runledger_states",
        "runledger_lag_records and on (reader) runledger_states",
        "runledger_lag_records * on (job, instance) group_left (version) up",
    ],
)
def test_what_there_is_not_is_refused(expression: str) -> None:
    with pytest.raises(WrongExpressionError):
        labels_of(expression, samples())


def test_names_are_found() -> None:
    assert names_in('rate(a[5m]) + on () max(b{c="d"}) unless e offset 1m') == {"a", "b", "e"}
