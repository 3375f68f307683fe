"""What the README says of speed is what was measured last."""

from __future__ import annotations

from pathlib import Path

import orjson

ROOT = Path(__file__).parents[3]


def test_the_readme_tells_the_measured_figures() -> None:
    first = orjson.loads((ROOT / "benchmarks" / "results.json").read_bytes())["B1"]
    ratios = {name: peer["ratio"] for name, peer in first["peers"].items()}
    said = (
        f"{round(first['ours'], -2):,} events a second on two cores, {ratios['quixstreams']:.1f} times what Quix "
        f"Streams did, {ratios['bytewax']:.2f} times bytewax and {ratios['faust']:.0f} times plain Faust"
    )
    assert said in " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
