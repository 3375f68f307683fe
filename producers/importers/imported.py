"""What every importer makes of one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import orjson

from runledger.schemas.run_events import AnyRunEvent


@dataclass(frozen=True, slots=True)
class ImportedRun:
    """One run's events, in the order its line tells them."""

    ended_at: datetime
    """When it ended or, of a run without an end, when it was last heard of: runs are replayed in this order."""
    events: tuple[AnyRunEvent, ...]


def event_id_from(run_id: UUID, kind: str, content: Mapping[str, Any]) -> str:
    """Make an event's id from what the file says of it.

    The same content gives the same id wherever it stands, so a file replayed again, shuffled or doubled counts once.
    """
    return str(uuid5(run_id, f"{kind}\n{orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode()}"))
