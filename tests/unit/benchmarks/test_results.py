"""The form of results.json."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from benchmarks.results import Against, Result, compare, failed, merge

_AT = datetime(2030, 1, 2, 3, 4, tzinfo=UTC)
_ROUNDS = {"ours": [900.0, 1000.0, 5000.0], "quick": [400.0, 500.0, 600.0], "slow": [10.0, 10.0, 10.0]}


def test_compare_takes_medians_and_says_how_many_times_better_ours_is() -> None:
    result = compare("B1", "sums", "events/s", _ROUNDS, {"quick": 3.0, "slow": 20.0})

    assert result.ours == 1000.0
    assert result.peers["quick"] == Against(500.0, 2.0, 3.0)
    assert result.peers["slow"].ratio == 100.0
    assert not result.met


def test_less_may_be_better_and_a_ratio_above_one_still_is() -> None:
    result = compare("B6", "latency", "ms", {"ours": [100.0], "peer": [250.0]}, {"peer": 1.0}, better="less")

    assert result.peers["peer"].ratio == 2.5
    assert result.met


def test_the_entry_names_the_peer_that_leaves_least_room() -> None:
    document = compare("B1", "sums", "events/s", _ROUNDS, {"quick": 3.0, "slow": 20.0}).document({"x": "1"}, _AT)

    assert (document["ours"], document["peer"], document["ratio"], document["target"]) == (1000, 500.0, 2.0, 3.0)
    assert document["met"] is False
    assert document["peer_name"] == "quick"
    assert document["peers"]["slow"] == {"value": 10.0, "ratio": 100.0, "target": 20.0, "met": True}
    assert document["date"] == "2030-01-02 03:04 UTC"
    assert document["versions"] == {"x": "1"}


@pytest.mark.parametrize("met", [True, False])
def test_a_target_of_our_own_figure_counts_too(met: bool) -> None:
    result = compare("B9", "posts", "/s", {"ours": [1.0]}, {}, target=">= 2,500/s", target_met=met)

    document = result.document({}, _AT)
    assert (document["target"], document["peer"], document["ratio"]) == (">= 2,500/s", None, None)
    assert document["met"] is met


def test_a_failed_benchmark_is_not_met_and_says_why() -> None:
    document = failed("B1", "sums", ValueError("a sum is wrong")).document({}, _AT)

    assert document["ours"] is None
    assert document["met"] is False
    assert document["error"] == "ValueError: a sum is wrong"


def test_merge_replaces_by_name_and_keeps_the_rest_in_order(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    for name, ours in (("B10", 1.0), ("growth", 2.0), ("B2", 3.0), ("B10", 4.0)):
        merge(path, [Result(name, "", "", ours)], {}, _AT)

    held = orjson.loads(path.read_bytes())
    assert list(held) == ["B2", "B10", "growth"]
    assert held["B10"]["ours"] == 4.0
