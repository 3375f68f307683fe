"""Contestants by turns: a noisy machine is noisy for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import typer

from benchmarks import topics
from benchmarks.load import Load
from benchmarks.rates import Rate
from benchmarks.servers import Corner, Servers
from benchmarks.sizes import Size

RateOf: TypeAlias = Callable[[Corner, Load, Size], Rate]
_LEAST_SHARE = 0.5


def rates(servers: Servers, size: Size, load: Load, contestants: Mapping[str, RateOf]) -> dict[str, list[float]]:
    """Let each contestant read the same topic in every round; {contestant: events a second in each round}.

    Raises:
        BenchmarkError: a contestant failed, was too slow, or its sums are wrong.
    """
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(1, size.rounds + 1):
        with servers.corner() as corner:
            topics.fill(corner.kafka, corner.source, load.records)
            for name, rate_of in contestants.items():
                rate = rate_of(corner, load, size)
                seen = "" if rate.share > _LEAST_SHARE else f" (over {rate.share:.0%} of the log only)"
                say(f"round {number}: {name} {rate.per_second:,.0f}/s{seen}")
                found[name].append(rate.per_second)
    return found


def say(line: str) -> None:
    """Tell the progress."""
    typer.echo(f"  {line}", err=True)
