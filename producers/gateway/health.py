"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

import asyncio

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from fastapi import APIRouter, Request

from runledger.access.http.answers import HealthAnswer, documented
from runledger.access.http.errors import retry_later
from runledger.producers.gateway.settings import GatewaySettings
from runledger.schemas.kafka_security import kafka_client
from runledger.schemas.topics import RUN_EVENTS

_LOOK_SECONDS = 1.0
_REMEMBERED_SECONDS = 1.0
_NOT_READY = {503: "The broker does not answer, or its topics are missing."}
router = APIRouter()


class Broker:
    """Tells whether the broker answers; asks it at most once a second, however often it is asked itself."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._topic = RUN_EVENTS.name(settings.topic_prefix)
        # librdkafka would write each failed attempt to stderr, past our log.
        config: dict[str, str | int | float | bool] = {
            **kafka_client(settings),
            "client.id": "runledger-readiness",
            "log_level": 2,
        }
        self._admin = AdminClient(config)
        self._asking = asyncio.Lock()
        self._answered = False
        self._asked_at = float("-inf")

    async def answers(self) -> bool:
        """Tell whether it answers and knows the topic."""
        async with self._asking:
            loop = asyncio.get_running_loop()
            if loop.time() - self._asked_at >= _REMEMBERED_SECONDS:
                self._answered = await asyncio.to_thread(self._look)
                self._asked_at = loop.time()
            return self._answered

    def _look(self) -> bool:
        try:
            topics = self._admin.list_topics(self._topic, timeout=_LOOK_SECONDS).topics
        except KafkaException:
            return False
        return self._topic in topics and topics[self._topic].error is None


@router.get("/healthz", operation_id="healthz")
async def healthz() -> HealthAnswer:
    """Tell that the process lives."""
    return HealthAnswer(status="ok")


@router.get("/readyz", operation_id="readyz", responses=documented(_NOT_READY))
async def readyz(request: Request) -> HealthAnswer:
    """Tell that the broker answers."""
    broker: Broker = request.app.state.broker
    if not await broker.answers():
        raise retry_later("not_ready", "the broker does not answer, or its topics are missing: runledger migrate")
    return HealthAnswer(status="ok")
