"""One line of JSON for each fault that was survived or not: what was sent, checked, skipped, refused, and how long."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

VARIABLE = "RUNLEDGER_FAULTS_REPORT"
"""Names the file that the lines are added to; without it there is no report."""


@dataclass
class Result:
    """What came of one fault.

    Args:
        fault: number in the list of faults.
        name: which one, and in which form.
        seed: of everything random.
        unprotected: the protection that was switched off, if one was.
    """

    fault: int
    name: str
    seed: int
    unprotected: str = ""
    events_sent: int = 0
    deliveries: int = 0
    survived: bool = False
    oracles: list[str] = field(default_factory=list)
    aborted_records: int = 0
    """Records of transactions that never committed, in the topics that the processors write."""
    transactions_lost: int = 0
    duplicates_skipped: int = 0
    compare_and_set_refused: int = 0
    database_away: int = 0
    dead_letters: int = 0
    seconds_to_heal: float = 0
    largest_rss_mib: dict[str, int] = field(default_factory=dict)
    scaled: str = ""
    """How much shorter or smaller than in the list."""
    differences: list[str] = field(default_factory=list)

    def count(self, logged: Counter[str]) -> None:
        """Take the workers' own counts."""
        self.transactions_lost = logged["transaction_lost"] + logged["transaction_aborted"]
        self.duplicates_skipped = logged["duplicates_skipped"]
        self.compare_and_set_refused = logged["compare_and_set_refused"]
        self.database_away = logged["database_away"]

    def write(self, environment: Mapping[str, str] = os.environ) -> None:
        """Add the line to the report, if there is to be one."""
        if path := environment.get(VARIABLE):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            with Path(path).open("ab") as lines:
                lines.write(orjson.dumps(asdict(self), option=orjson.OPT_APPEND_NEWLINE))
