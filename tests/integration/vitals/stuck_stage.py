"""A processor whose first fold never ends: what it is given to fold with hangs."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

from runledger.logs import configure
from runledger.processors.app import run_processor
from runledger.processors.records import Changes, Record
from runledger.processors.run_stage import RunStage
from runledger.processors.settings import ProcessorSettings
from runledger.vitals import keeper_of, kept_by


class HangingStage(RunStage):
    """Stage 1, but for its reducer."""

    def apply(self, state: Any, record: Record, logged_at: datetime, changes: Changes[Any]) -> None:  # noqa: ANN401
        """Never return."""
        threading.Event().wait()


def main() -> None:
    """Run it until it ends."""
    configure("processor")
    settings = ProcessorSettings()
    with kept_by(keeper_of("processor", settings, database=None)):
        run_processor(settings, [HangingStage(settings)])


main()
