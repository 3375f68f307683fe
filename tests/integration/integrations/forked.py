"""A process that imports LiteLLM once, which takes three seconds, and is forked for each program it is asked to run.

Started with `python -m`, it reads requests as lines of JSON and answers each with the program's exit code. A fork ends
as every program does: by the end of its main module.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import litellm  # noqa: F401  # what all this is for

import runledger.integrations.litellm  # noqa: F401  # as above


def become(request: dict[str, Any]) -> str:
    """Take on a program's environment, folder and files; return the program."""
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    for number, name in ((0, os.devnull), (1, "stdout"), (2, "stderr")):
        file = os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, number)
        os.close(file)
    program: str = request["program"]
    return program


def next_program() -> str | None:
    """Serve requests; return in each fork with its program, and here with nothing when nobody asks any more."""
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if not child:
            return become(request)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()
    return None


if __name__ == "__main__" and (program := next_program()) is not None:
    exec(program, {"__name__": "__main__"})  # noqa: S102  # to run a program is what it is for
