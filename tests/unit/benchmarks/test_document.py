"""The page for people."""

from __future__ import annotations

from datetime import UTC, datetime

from benchmarks import document
from benchmarks.results import compare, failed

_AT = datetime(2030, 1, 2, tzinfo=UTC)


def test_the_page_shows_every_peer_with_its_ratio_and_target() -> None:
    rounds = {"ours": [100_000.0, 120_000.0], "quixstreams": [30_000.0, 40_000.0], "arroyo": [48_000.0, 48_000.0]}
    result = compare("B5", "pipeline", "events/s", rounds, {"quixstreams": 1.0, "arroyo": None}, extra={"runs": 5000})

    page = document.write({"B5": result.document({"bytewax": "0.21"}, _AT)}, {"cores": "2"})

    assert "| B5 | pipeline | 110,000 events/s | | |  | yes |" in page
    assert "| | beside quixstreams | | 35,000 | 3.14x | ≥ 1x | yes |" in page
    assert "| | beside arroyo | | 48,000 | 2.29x | reported |  |" in page
    assert "- **B5** (2030-01-02 00:00 UTC): runs: 5,000; rounds of ours: 100,000, 120,000" in page
    assert "- cores: 2" in page
    assert "- bytewax 0.21" in page


def test_a_target_that_is_missed_stands_out() -> None:
    result = compare("B9", "posts", "posts/s", {"ours": [900.0]}, {}, target=">= 2,500/s", target_met=False)

    assert "| B9 | posts | 900 posts/s | | | >= 2,500/s | **no** |" in document.write(
        {"B9": result.document({}, _AT)}, {}
    )


def test_a_failed_benchmark_shows_why_and_breaks_no_table() -> None:
    page = document.write({"B1": failed("B1", "sums", ValueError("a|b\nc")).document({}, _AT)}, {})

    assert "| B1 | sums | - | - | - | - | no: ValueError: a\\|b c |" in page
