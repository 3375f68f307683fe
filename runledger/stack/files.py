"""Files that are replaced whole, and logs that keep a few earlier starts."""

from __future__ import annotations

import os
import tempfile
from itertools import pairwise
from pathlib import Path

KEPT_LOGS = 5
_TAIL_BYTES = 16_384


def write_privately(path: Path, text: str) -> None:
    """Replace a file atomically; only its owner may read it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def rotate(log: Path, kept: int = KEPT_LOGS) -> None:
    """Move NAME.log to NAME.1.log, that one to NAME.2.log and so on; what is older than `kept` starts is dropped."""
    older = [log, *(log.with_suffix(f".{number}{log.suffix}") for number in range(1, kept + 1))]
    for source, target in reversed(list(pairwise(older))):
        if source.exists():
            source.replace(target)


def tail(log: Path, lines: int = 15) -> str:
    """Read the last lines of a log; empty where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
