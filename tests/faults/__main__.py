"""Make docs/reliability.md of reports: `python -m tests.faults REPORT …`; or with `--graph SAMPLES` draw the soak's."""

from __future__ import annotations

import sys
from pathlib import Path

import orjson

from tests.faults import document, graph

DOCS = Path(__file__).parents[2] / "docs"


def main(arguments: list[str]) -> None:
    """Write the document, or the graph of memory."""
    if arguments and arguments[0] == "--graph":
        samples = orjson.loads(Path(arguments[1]).read_bytes())
        (DOCS / "soak-memory.svg").write_text(graph.draw(samples["seconds"], samples["mib"]), encoding="utf-8")
        return
    lines = [orjson.loads(line) for path in arguments for line in Path(path).read_bytes().splitlines()]
    (DOCS / "reliability.md").write_text(document.write(lines), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
