"""Why a broker lets nobody in: a call that fails only says that none answered in time."""

from __future__ import annotations

from confluent_kafka import KafkaError
from confluent_kafka.admin import AdminClient

_REFUSALS = {KafkaError._SSL, KafkaError._AUTHENTICATION}


class Refusals:
    """Given to a client as its `error_cb`, keeps the latest refusal by TLS or SASL. Such errors name no secret."""

    def __init__(self) -> None:
        self._latest: str | None = None

    def __call__(self, error: KafkaError) -> None:
        """Take an error of a connection."""
        if error.code() in _REFUSALS:
            self._latest = error.str()

    def words(self, client: AdminClient) -> str:
        """Say it, to be put behind another error's words; empty where nobody was refused."""
        client.poll(0)
        return "" if self._latest is None else f" ({self._latest})"
