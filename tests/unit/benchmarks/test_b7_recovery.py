"""What a processor's log says of its recovery."""

from __future__ import annotations

from pathlib import Path

from benchmarks.b7_recovery import restore_seconds

_LOG = b"""\
not JSON
{"event": "assigned", "timestamp": "2030-01-02T03:04:05.000000Z"}
{"event": "store_opened", "stage": "runs", "timestamp": "2030-01-02T03:04:09.500000Z"}
{"event": "store_opened", "stage": "agents", "timestamp": "2030-01-02T03:04:30.000000Z"}
{"event": "store_opened", "stage": "runs", "timestamp": "2030-01-02T03:04:12.000000Z"}
"""


def test_the_last_store_of_the_slowest_process_counts(tmp_path: Path) -> None:
    (tmp_path / "1.log").write_bytes(_LOG)
    (tmp_path / "2.log").write_bytes(_LOG.splitlines()[1])

    assert restore_seconds([tmp_path / "1.log", tmp_path / "2.log"]) == 7.0
