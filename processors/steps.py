"""Where a record stood in the log, and what a reducer made of it. Structs: one of each is made for every event."""

from __future__ import annotations

from datetime import datetime

import msgspec

from runledger.schemas.outcomes import Incident, LoggedRun, RunOutcome, StreakRevised
from runledger.schemas.snapshots import AgentHealth, RunSnapshot


class At(msgspec.Struct, frozen=True, gc=False):
    """A record's place in its partition."""

    offset: int
    logged_at: datetime
    """Log time."""


class RunStep(msgspec.Struct, frozen=True, gc=False):
    """What one event made of a run."""

    state: RunSnapshot | None
    """None: the run is not known, or no longer."""
    emitted: tuple[RunOutcome, ...] = ()
    changed: bool = True
    """False: there is nothing to write, the event said nothing new."""
    erased: bool = False
    """The run's tombstone is due, whether it was known here or not."""


class AgentStep(msgspec.Struct, frozen=True, gc=False):
    """What one outcome made of an agent's health."""

    state: AgentHealth
    emitted: tuple[LoggedRun | StreakRevised | Incident, ...] = ()
    changed: bool = True
    """False: there is nothing to write."""
