"""The detached supervisor: `python -m runledger.stack DATA_DIR CACHE_DIR [PARENT_PID]`, with the plan on stdin.

The plan may hold a password, so it is not among the arguments, which everybody can read.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from runledger.stack.errors import AlreadyRunningError, StackError
from runledger.stack.lock import EXIT_ALREADY_RUNNING
from runledger.stack.paths import StackFolder
from runledger.stack.plan import Plan
from runledger.stack.runner import run_stack

_EXIT_FAILED = 1


def main(arguments: list[str]) -> int:
    """Run the stack; the state file tells the rest."""
    data_dir, cache_dir, *parent = arguments
    plan = Plan.model_validate_json(sys.stdin.read())

    def abandoned() -> bool:
        # An orphan is given to another process, so the number changes.
        return bool(parent) and os.getppid() != int(parent[0])

    try:
        run_stack(StackFolder(Path(data_dir)), Path(cache_dir), plan, abandoned)
    except AlreadyRunningError:
        return EXIT_ALREADY_RUNNING
    except StackError as error:
        print(error, file=sys.stderr)  # noqa: T201 - into the supervisor's log
        return _EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
