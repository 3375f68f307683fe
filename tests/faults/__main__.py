"""Make docs/reliability.md of reports: `python -m tests.faults REPORT …`; or with `--graph SAMPLES` draw the soak's."""

from __future__ import annotations

import sys
from pathlib import Path

import orjson

from tests.faults import document, graph
from tests.faults.memory import average_halves
from tests.faults.site import WORKERS

DOCS = Path(__file__).parents[2] / "docs"


def main(arguments: list[str]) -> None:
    """Write the document, or the graph of memory."""
    if arguments and arguments[0] == "--graph":
        kept = orjson.loads(Path(arguments[1]).read_bytes())
        (DOCS / "soak-memory.svg").write_text(_graph(kept["seconds"], kept["mib"]), encoding="utf-8")
        return
    lines = [orjson.loads(line) for path in arguments for line in Path(path).read_bytes().splitlines()]
    (DOCS / "reliability.md").write_text(document.write(lines), encoding="utf-8")


def _graph(seconds: list[float], mib: dict[str, list[int | None]]) -> str:
    samples = [
        (at, {name: held for name, line in mib.items() if (held := line[number]) is not None})
        for number, at in enumerate(seconds)
    ]
    means = [
        f"{kind}s together, mean of either half after ten minutes: {first:,.0f} and {last:,.0f} MiB"
        for kind, (first, last) in average_halves(samples, WORKERS).items()
    ]
    return graph.draw(seconds, mib, means)


if __name__ == "__main__":
    main(sys.argv[1:])
