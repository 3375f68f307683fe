"""Spans: the times during which the pipeline is known to have listened and kept up; pure.

All times here are of one clock, the database's: probes take their moment from it, and readers compare a watermark with
its `now()`. Log time is the broker's. Nothing is added or taken away for the difference: if the broker's clock runs
behind the database's by some time, events of that last time may be missing below the watermark; if it runs ahead,
events stand in the tables before the watermark says so. Against expected intervals of minutes and hours neither
matters as long as both machines keep their time by NTP. An event that the broker has stamped but not yet copied to its
replicas counts as not logged yet: nobody has been told that it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class PipelineSpan:
    """One row of pipeline_span.

    Args:
        began_at: start.
        reached_at: watermark; all that was logged up to then stands in the tables.
    """

    began_at: datetime
    reached_at: datetime


def advance(newest: PipelineSpan | None, asked_at: datetime, pause: timedelta) -> PipelineSpan | None:
    """Return the span as it is to stand once all that was logged by `asked_at` is in the tables.

    Args:
        newest: the span that began last; None before the first.
        asked_at: the probe's moment.
        pause: nobody is known to have listened in a longer one, so a new span begins behind it.

    Returns:
        A new span, or the newest one extended; None where the newest one already reaches further: another watch was
        faster.
    """
    if newest is None or asked_at - newest.reached_at > pause:
        return PipelineSpan(asked_at, asked_at)
    if asked_at <= newest.reached_at:
        return None
    return PipelineSpan(newest.began_at, asked_at)
