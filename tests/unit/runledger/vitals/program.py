"""A process whose vitals are kept, and which then does as it is told: python -m … HOW STALL_SECONDS."""

from __future__ import annotations

import signal
import sys
import threading
import time
from types import FrameType

from runledger.logs import configure
from runledger.vitals import Keeper, Pulse, VitalsSettings, kept_by, told_to_end, watch


class Away:
    """A server that does not answer."""

    problem = "broker_away"

    def absence(self) -> str | None:
        return "Kafka does not answer"


def hang_in_the_fold() -> None:
    threading.Event().wait()


def main(how: str, stall_seconds: float) -> None:
    """Hang, or beat, until the process ends."""
    configure("sink")
    keeper = Keeper("sink", VitalsSettings(stall_seconds=stall_seconds, drain_seconds=0.5), [Away()] * (how == "wait"))
    with kept_by(keeper):
        pulse = Pulse("sink loop")
        watch(pulse)

        def ask(_number: int, _frame: FrameType | None) -> None:
            told_to_end()

        signal.signal(signal.SIGTERM, ask)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while how == "beat":
            pulse.beat()
            time.sleep(0.05)
        hang_in_the_fold()


main(sys.argv[1], float(sys.argv[2]))
