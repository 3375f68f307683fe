"""Read a file of runs, whichever format each of its lines is in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from runledger.producers.errors import FileFormatError, InvalidEventError
from runledger.producers.importers import airline, script
from runledger.producers.importers.imported import ImportedRun
from runledger.schemas.run_events import AnyRunEvent


def read_events(path: Path) -> Iterator[AnyRunEvent]:
    """Give the events of every run in a file: runs by the time they ended, each run's events as its line has them.

    The whole file is read and checked before the first event is given. Empty lines are skipped.

    Raises:
        FileFormatError: a line is not JSON, of no known format, or breaks its format or the event model; it names the
            line.
        OSError: the file cannot be read.
    """
    with path.open("rb") as lines:
        runs = [_read_line(line, str(path), number) for number, line in enumerate(lines, start=1) if line.strip()]
    runs.sort(key=lambda run: run.ended_at)
    for run in runs:
        yield from run.events


def _read_line(line: bytes, path: str, number: int) -> ImportedRun:
    try:
        document = orjson.loads(line)
        return _importer(document)(document)
    except orjson.JSONDecodeError as error:
        raise FileFormatError(path, number, f"not JSON: {error}") from error
    except ValidationError as error:
        raise FileFormatError(path, number, str(InvalidEventError.from_validation(error))) from error
    except (InvalidEventError, LookupError) as error:
        raise FileFormatError(path, number, str(error)) from error


def _importer(document: Any) -> Callable[[Any], ImportedRun]:  # noqa: ANN401  # any JSON value
    if isinstance(document, dict):
        if document.get("format") == script.FORMAT:
            return script.read_run
        if document.keys() >= airline.REQUIRED_KEYS:
            return airline.read_run
    raise LookupError('neither "format": "script.v1" nor a run of the airline agent')
