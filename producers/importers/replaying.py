"""Send events that happened earlier, with their own times and ids."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from runledger.producers.client import RunClient
from runledger.schemas.run_events import AnyRunEvent

_PROGRESS_EVERY = 100


def replay(
    events: Iterable[AnyRunEvent],
    client: RunClient,
    *,
    rate: float | None = None,
    on_progress: Callable[[int], None] | None = None,
    flush_timeout_seconds: float = 60,
) -> int:
    """Publish events in order and wait until the broker has them all; return how many there were.

    Args:
        events: what to send.
        client: by whom; left open. A strict one waits where the broker is slower than we.
        rate: events per second; None for as fast as the broker takes them.
        on_progress: called with the number of events handed over so far, every 100 events and at the end.
        flush_timeout_seconds: how long the last acknowledgements are waited for.

    Raises:
        DeliveryError: the broker has not acknowledged some events; it names them.
        QueueFullError: the broker does not keep up.
        ValueError: the rate is not above 0.
    """
    if rate is not None and rate <= 0:
        raise ValueError("the rate must be above 0 events per second")
    began = time.monotonic()
    sent = 0
    for event in events:
        if rate is not None:
            time.sleep(max(0.0, began + sent / rate - time.monotonic()))
        client.publish(event)
        sent += 1
        if on_progress is not None and sent % _PROGRESS_EVERY == 0:
            on_progress(sent)
    client.flush(flush_timeout_seconds)
    if on_progress is not None:
        on_progress(sent)
    return sent
