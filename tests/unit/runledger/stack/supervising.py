"""A program that supervises one process; killed by the tests.

Run as: python supervising.py LOGS MARK; MARK is an argument of the processes, by which the tests find them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from runledger.stack.service import Service
from runledger.stack.state import ServiceState
from runledger.stack.supervisor import Supervisor


def main(logs: str, mark: str) -> None:
    """Supervise until killed; a line on stdout says that the process runs."""

    def ignore(_: tuple[ServiceState, ...]) -> None:
        """The state is of no interest here."""

    supervisor = Supervisor(Path(logs), ignore, stop_requested=lambda: False)
    command = (sys.executable, "-c", "import signal; signal.pause()", mark)
    supervisor.start([Service(name="patient", command=command)])
    sys.stdout.write("running\n")
    sys.stdout.flush()
    supervisor.watch()


if __name__ == "__main__":
    main(*sys.argv[1:])
