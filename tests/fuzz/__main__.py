"""`python -m tests.fuzz [NAME …]`: run every fuzzer, or those named, for FUZZ_SECONDS each, one after the other."""

from __future__ import annotations

import logging
import sys
import time
import warnings
from collections.abc import Iterable
from contextlib import ExitStack
from random import SystemRandom
from typing import Any

import structlog
from hypothesis.errors import HypothesisWarning

from tests.fuzz import doors, records, texts
from tests.fuzz.running import Fuzzer, fuzz_seconds, run_for
from tests.servers import running_servers


def main(names: list[str]) -> int:
    """Run them; return 1 if anything was found."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore", HypothesisWarning)
    seed = SystemRandom().randrange(2**32)
    _say(f"seed {seed}, {fuzz_seconds():g} s each")
    found = 0
    for module in (records, texts):
        found += _run(module.fuzzers(), names, seed)
    wanted = [door for name, door in doors.DOORS.items() if not names or name in names]
    with ExitStack() as stack:
        servers = stack.enter_context(running_servers()) if wanted else None
        for door in wanted:
            assert servers is not None
            try:
                with doors.ground(servers.kafka, servers.postgres) as ground, door(ground) as fuzzers:
                    found += _run(fuzzers, names, seed)
            except AssertionError as error:
                _say(f"FOUND in {door.__name__}: {error}")
                found += 1
    return int(found > 0)


def _run(fuzzers: Iterable[Fuzzer[Any]], names: list[str], seed: int) -> int:
    found = 0
    for fuzzer in fuzzers:
        if names and fuzzer.name not in names:
            continue
        began = time.monotonic()
        finding = run_for(fuzzer, fuzz_seconds(), seed)
        _say(f"{fuzzer.report()}, {time.monotonic() - began:.0f} s, {'nothing found' if finding is None else 'FOUND:'}")
        if finding is not None:
            _say(finding)
            found += 1
    return found


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
