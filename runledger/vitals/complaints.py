"""What a Kafka client has to say of its connections, in our logs: its own lines are no JSON, and come by the dozen."""

from __future__ import annotations

import time

import structlog
from confluent_kafka import KafkaError

_SECONDS_BETWEEN = 60.0
_log = structlog.get_logger()


class Complaints:
    """Given to a client as its `error_cb`: says once a minute at most why the broker is not reached.

    Such errors name addresses and reasons, and no secret.
    """

    def __init__(self) -> None:
        self._said_at = float("-inf")

    def __call__(self, error: KafkaError) -> None:
        """Say it, unless something was said just now."""
        now = time.monotonic()
        if now - self._said_at >= _SECONDS_BETWEEN:
            self._said_at = now
            _log.warning("kafka_not_reached", error=error.str())
