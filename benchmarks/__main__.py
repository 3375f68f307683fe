"""`python -m benchmarks [NAME …] [--large] [--quick] [--rounds N]`: measure, check, write the results."""

from __future__ import annotations

import importlib
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Annotated

import orjson
import typer

from benchmarks import document, figures, machine
from benchmarks.programs import ROOT
from benchmarks.results import Result, failed, merge
from benchmarks.servers import Servers, running_servers
from benchmarks.sizes import FULL, QUICK, Size

USUAL = {
    "B1": "b1_engine",
    "B2": "b2_ledger",
    "B3": "b3_produce",
    "B4": "b4_sink",
    "B5": "b5_pipeline",
    "B6": "b6_latency",
    "B9": "b9_gateway",
    "B10": "b10_cost",
}
LARGE = {"B7": "b7_recovery", "B8": "b8_intelligence", "B11": "b11_tracing", "growth": "growth", "profile": "profile"}
RESULTS = Path(__file__).resolve().parent / "results.json"
DOCUMENT = ROOT / "docs" / "benchmarks.md"


def main(
    names: Annotated[list[str] | None, typer.Argument(help="B1, B2, …; all usual ones if left out.")] = None,
    large: Annotated[bool, typer.Option("--large", help="The large ones instead: B7, B8, B11, growth.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Tiny and once, to see that it works; no figures.")] = False,
    rounds: Annotated[int | None, typer.Option(min=1, max=20, help="Rounds; the median counts.")] = None,
    output: Annotated[Path, typer.Option(help="Where the results go.")] = RESULTS,
    page: Annotated[Path, typer.Option(help="Where the document goes.")] = DOCUMENT,
) -> None:
    """Run benchmarks and keep their results, each as soon as it is known."""
    modules = _choose(names, large=large)
    size = QUICK if quick else FULL
    if rounds is not None:
        size = replace(size, rounds=rounds)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # servers end, folders go, as at the end
    results: list[Result] = []
    start = time.monotonic()
    with running_servers() as servers:
        for name, module in modules.items():
            typer.echo(f"{name}: {module.CLAIM}", err=True)
            began = time.monotonic()
            results.append(_measure(name, module, servers, size))
            typer.echo(f"  {time.monotonic() - began:.0f} s: {_verdict(results[-1])}", err=True)
            if not quick:
                merge(output, results[-1:], machine.versions())
                held = orjson.loads(output.read_bytes())
                page.write_text(document.write(held, machine.facts()), encoding="utf-8")
                figures.renew(page.parent, held)
    typer.echo(f"{len(results)} benchmarks in {(time.monotonic() - start) / 60:.1f} min", err=True)
    if any(result.error for result in results):
        raise typer.Exit(1)


def _choose(names: list[str] | None, *, large: bool) -> dict[str, ModuleType]:
    known = USUAL | LARGE
    wanted = [name if name in known else name.upper() for name in names or (LARGE if large else USUAL)]
    for name in wanted:
        if name not in known:
            raise typer.BadParameter(f"{name} is none of {', '.join(known)}")
    return {name: importlib.import_module(f"benchmarks.{known[name]}") for name in wanted}


def _measure(name: str, module: ModuleType, servers: Servers, size: Size) -> Result:
    try:
        result: Result = module.measure(servers, size)
    except Exception as error:  # noqa: BLE001  # the other benchmarks go on; this one's entry says why it has no figure
        return failed(name, module.CLAIM, error)
    return result


def _verdict(result: Result) -> str:
    if result.error is not None:
        return f"no result: {result.error}"
    ours = f"{result.ours:,.1f} {result.unit}" if result.ours is not None else result.unit
    peers = ", ".join(f"{against.ratio:.2f}x {peer}" for peer, against in result.peers.items())
    return " · ".join(part for part in (ours, peers, "met" if result.met else "NOT met") if part)


if __name__ == "__main__":
    typer.run(main)
