"""`python -m tests.mutants [MODULE ...]`: try the mutants (of some modules), print a table and the score."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from tests.mutants.mutants import MUTANTS
from tests.mutants.runner import Result, run

REQUIRED = 0.9
"""Share of mutants that must be noticed."""
_WIDTH = 70


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _line(number: int, result: Result) -> str:
    broken = result.mutant.breaks[:_WIDTH]
    return (
        f"{number:3}  {result.mutant.module:10} {result.fate:9} {result.seconds:5.0f} s  {broken:{_WIDTH}}  "
        f"{result.noticed_by}"
    )


def main() -> int:
    """Return 0 where enough mutants were noticed, 1 where not."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", help="modules of processors/; all if none is named")
    parser.add_argument("--parallel", type=int, default=2, help="how many at a time")
    chosen = parser.parse_args()
    mutants = [mutant for mutant in MUTANTS if not chosen.modules or mutant.module in chosen.modules]
    if not mutants:
        parser.error(f"there are no mutants of {', '.join(chosen.modules)}")
    results: list[Result] = []
    for number, result in enumerate(run(mutants, chosen.parallel), 1):
        results.append(result)
        _say(_line(number, result))
    survivors = [result.mutant for result in results if result.fate == "survived"]
    made = Counter(mutant.module for mutant in mutants)
    left = Counter(mutant.module for mutant in survivors)
    _say("")
    for module, count in made.items():
        _say(f"{module:10} {count - left[module]:3} of {count:3} noticed")
    for mutant in survivors:
        _say(f"survived: {mutant.module}: {mutant.original!r} -> {mutant.replacement!r} ({mutant.breaks})")
    score = 1 - len(survivors) / len(mutants)
    _say(f"score: {len(mutants) - len(survivors)} of {len(mutants)} mutants noticed, {score:.0%}")
    return 0 if score >= REQUIRED else 1


if __name__ == "__main__":
    sys.exit(main())
