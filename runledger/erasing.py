"""Have a run, an agent or a project erased: orders through the log, and a look at the tables until they are clean.

Runs first, then agents, then what a project says of itself: a stage that still held a run would write of its agent
again. Each order may be repeated, so whoever is interrupted begins anew and ends the same.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from runledger.producers.building import build
from runledger.producers.client import RunClient
from runledger.producers.settings import ProducerSettings
from runledger.schemas.dead_letters import REASON
from runledger.schemas.identifiers import agent_key, settings_key
from runledger.schemas.kafka_security import kafka_client
from runledger.schemas.run_events import RunErased
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import PARTITIONER, RUN_OUTCOMES, SETTINGS, Topic
from runledger.sinks.erasures import Subject, count_agents, count_figures, count_runs, find_agents, find_runs

ACKNOWLEDGE_SECONDS = 30.0
_POLL_SECONDS = 0.2
_ORDERS_AT_ONCE = 2000


class ErasureError(Exception):
    """An order did not reach the log; what was ordered before stays ordered, so begin again."""


@dataclass(slots=True)
class Erasure:
    """What came of it.

    Args:
        runs: ids that were ordered to be erased.
        agents: agents whose state was.
        left: {table: rows} that were there when the time was over; empty when the tables are clean.
    """

    runs: int = 0
    agents: int = 0
    left: Counter[str] = field(default_factory=Counter)


def preview(connection: psycopg.Connection[Any], subject: Subject) -> Erasure:
    """Count what stands of the subject, and order nothing."""
    runs, agents = find_runs(connection, subject), find_agents(connection, subject)
    left = Counter(count_runs(connection, subject.project_key, runs))
    left.update(count_agents(connection, subject.project_key, agents))
    if _is_project(subject):
        left.update(count_figures(connection, subject.project_key))
    return Erasure(len(runs), len(agents), left)


def erase(
    settings: ConnectionSettings,
    connection: psycopg.Connection[Any],
    subject: Subject,
    *,
    reason: str | None = None,
    wait_seconds: float = 60,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Erasure:
    """Order the erasure, and wait until the tables hold nothing of the subject.

    Args:
        settings: where the broker is.
        connection: to the tables, in autocommit mode, so that each look is a new one.
        subject: who.
        reason: kept with the order, for the audit.
        wait_seconds: how long each of the steps may take; what is not done then is told in `left`.
        progress: called with (runs whose rows are gone, runs ordered).

    Raises:
        ErasureError: the broker did not take an order.
        psycopg.Error: the tables cannot be asked.
    """
    done = Erasure()
    ordered: set[UUID] = set()
    deadline = time.monotonic() + wait_seconds
    while True:
        began = time.monotonic()
        found = find_runs(connection, subject) - ordered
        _order_runs(settings, subject.project_key, found, reason)
        ordered |= found
        done.runs = len(ordered)
        done.left = Counter(count_runs(connection, subject.project_key, ordered))
        progress(len(ordered) - min(len(ordered), done.left["agent_run"]), len(ordered))
        if not found and not done.left:
            break
        if time.monotonic() > deadline:
            return done
        time.sleep(max(_POLL_SECONDS, time.monotonic() - began))  # looking at many runs takes the database's time
    _erase_agents(settings, connection, subject, done, wait_seconds)
    if _is_project(subject) and not done.left:
        _erase_project(settings, connection, subject.project_key, done, wait_seconds)
    return done


def _is_project(subject: Subject) -> bool:
    return subject.run_id is None and subject.agent_id is None


def _erase_agents(
    settings: ConnectionSettings,
    connection: psycopg.Connection[Any],
    subject: Subject,
    done: Erasure,
    wait_seconds: float,
) -> None:
    project_key, agents = subject.project_key, find_agents(connection, subject)
    done.agents = len(agents)
    keys = [agent_key(project_key, agent_id) for agent_id in agents]
    _send(settings, [(SETTINGS, key) for key in keys] + [(RUN_OUTCOMES, key) for key in keys])
    done.left = _wait(lambda: count_agents(connection, project_key, agents), wait_seconds)


def _erase_project(
    settings: ConnectionSettings,
    connection: psycopg.Connection[Any],
    project_key: str,
    done: Erasure,
    wait_seconds: float,
) -> None:
    _send(settings, [(SETTINGS, settings_key(project_key, None))])
    done.left = _wait(lambda: count_figures(connection, project_key), wait_seconds)


def _wait(count: Callable[[], dict[str, int]], wait_seconds: float) -> Counter[str]:
    """Wait until nothing is left; return what is."""
    deadline = time.monotonic() + wait_seconds
    while (left := count()) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return Counter(left)


def _order_runs(settings: ConnectionSettings, project_key: str, runs: Collection[UUID], reason: str | None) -> None:
    if not runs:
        return
    told = ProducerSettings().model_copy(
        update={"kafka": settings.kafka, "topic_prefix": settings.topic_prefix, "spool": None, "url": None}
    )
    with RunClient(kafka=settings.kafka, settings=told, strict=True) as client:
        ordered = sorted(runs)
        for first in range(0, len(ordered), _ORDERS_AT_ONCE):
            for run_id in ordered[first : first + _ORDERS_AT_ONCE]:
                client.publish(build(RunErased, {"reason": reason}, project=project_key, run_id=run_id))
            client.flush(ACKNOWLEDGE_SECONDS)


def _send(settings: ConnectionSettings, orders: Iterable[tuple[Topic, bytes]]) -> None:
    """Write records without a value that say why, and wait for the acknowledgements."""
    failures: list[KafkaError] = []

    def report(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            failures.append(error)

    producer = Producer(
        {
            **kafka_client(settings),
            "client.id": "runledger-erase",
            "enable.idempotence": True,
            "acks": "all",
            "partitioner": PARTITIONER,
            "delivery.timeout.ms": int(ACKNOWLEDGE_SECONDS * 1000),
            "log_level": 2,
        }
    )
    try:
        for topic, key in orders:
            headers: dict[str, str | bytes | None] = {REASON: b"erased"}
            producer.produce(topic.name(settings.topic_prefix), None, key, headers=headers, on_delivery=report)
        unsent = producer.flush(ACKNOWLEDGE_SECONDS + 5)
    except (KafkaException, BufferError) as error:
        raise ErasureError(f"the order cannot be sent: {error}; begin again") from error
    if failures or unsent:
        why = failures[0].str() if failures else "no answer in time"
        raise ErasureError(f"the broker did not acknowledge the order ({why}); begin again")
