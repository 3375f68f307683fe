"""What was handed over and what became of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeAlias

from confluent_kafka import KafkaError, Message

from runledger.producers.errors import Undelivered
from runledger.schemas.run_events import AnyRunEvent

DeliveryReport: TypeAlias = Callable[[KafkaError | None, Message], None]
OnDelivered: TypeAlias = Callable[[Undelivered | None], None]


class Deliveries:
    """Keep every event from hand-over to the broker's word on it. Safe to share between threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pending: dict[int, AnyRunEvent] = {}
        self._failed: list[Undelivered] = []
        self._handed_over = 0

    def expect(self, event: AnyRunEvent, on_delivered: OnDelivered | None = None) -> tuple[int, DeliveryReport]:
        """Note an event as pending; return its number and the callback for its delivery report.

        Args:
            event: what is about to be handed over.
            on_delivered: called with None once acknowledged, else with the failure; takes the failure out of `take`.
        """
        with self._changed:
            self._handed_over += 1
            number = self._handed_over
            self._pending[number] = event

        def report(error: KafkaError | None, _message: Message) -> None:
            failure = None if error is None else _undelivered(event, error.str())
            with self._changed:
                self._pending.pop(number, None)
                if failure is not None and on_delivered is None:
                    self._failed.append(failure)
                self._changed.notify_all()
            if on_delivered is not None:
                on_delivered(failure)

        return number, report

    def forget(self, number: int) -> None:
        """Drop an event that was not handed over after all."""
        with self._changed:
            del self._pending[number]

    def settle(self, timeout_seconds: float) -> tuple[Undelivered, ...]:
        """Wait until nothing is pending, or the time is up; return failures (once) and what is still pending."""
        with self._changed:
            self._changed.wait_for(lambda: not self._pending, timeout_seconds)
            failed, self._failed = self._failed, []
            return (*failed, *(_undelivered(event, "pending") for event in self._pending.values()))


def _undelivered(event: AnyRunEvent, reason: str) -> Undelivered:
    return Undelivered(event.event_id, event.project_key, event.run_id, reason)
