"""What became of everything that was told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts of events since this process made its client.

    `sent == acknowledged + pending + spooled + dropped + refused` holds at every moment.

    Args:
        sent: handed over by calls.
        acknowledged: the receiver has them.
        pending: waiting in memory.
        spooled: written to the spool file instead; the spool sends them later.
        dropped: given up for want of room or time; gone.
        refused: the receiver will not take them, however often they come; gone.
        sent_from_spool: acknowledged out of the spool, whoever put them there.
        waiting_in_spool: in the spool now, earlier processes' events too.
    """

    sent: int = 0
    acknowledged: int = 0
    pending: int = 0
    spooled: int = 0
    dropped: int = 0
    refused: int = 0
    sent_from_spool: int = 0
    waiting_in_spool: int = 0
