"""No code of ours sends the admin client's requests to coordinators."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("access", "analytics", "integrations", "processors", "producers", "runledger", "scoring", "sinks", "watch")
_ABORTING = re.compile(r"\.(?:list|alter|delete)_consumer_group_offsets\(|\.(?:describe|delete)_consumer_groups\(")


def test_nobody_asks_what_aborts_the_process_while_the_broker_goes_away() -> None:
    """When its connection breaks, librdkafka 2.16 frees such a request twice (its issue 4605): no handler sees that."""
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    assert len(files) > 100
    assert [file.name for file in files if _ABORTING.search(file.read_text(encoding="utf-8"))] == []
