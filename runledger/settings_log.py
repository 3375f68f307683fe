"""What operators set, as it stands in the topic settings: read the newest record of a key, write another.

A record is whole: what it leaves out is not set. So whoever changes one setting reads what stands there first.
"""

from __future__ import annotations

import time
from dataclasses import fields, replace

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.codec import decode, encode
from runledger.schemas.errors import DecodeError
from runledger.schemas.identifiers import settings_key
from runledger.schemas.kafka_security import kafka_client
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import PARTITIONER, SETTINGS
from runledger.subscribers import SubscriptionError, Tombstone, subscribe

READ_SECONDS = 20.0
ACKNOWLEDGE_SECONDS = 20.0


class SettingsError(Exception):
    """Settings could not be read or written, or are none; the message says what to do."""


def check_settings(settings: AgentSettings) -> AgentSettings:
    """Return settings as their readers will take them: an agent's name is trimmed.

    Raises:
        SettingsError: the readers would refuse them.
    """
    for what, text in (("name", settings.name), ("role", settings.role), ("agent", settings.agent_id)):
        if text is not None and not (text.strip() and text.isprintable()):
            raise SettingsError(f"{what}: must hold visible characters only, and at least one")
    try:
        return decode(AgentSettings, encode(settings))
    except DecodeError as error:
        raise SettingsError(f"these are no settings: {error.detail}") from error


def merge_settings(standing: AgentSettings | None, said: AgentSettings) -> AgentSettings:
    """Return what stands, with what is said now in its place; what neither tells stays None."""
    told = {setting.name: getattr(said, setting.name) for setting in fields(said)}
    return replace(standing or said, **{name: value for name, value in told.items() if value is not None})


def read_settings(
    connection: ConnectionSettings, project_key: str, agent_id: str | None, *, timeout_seconds: float = READ_SECONDS
) -> AgentSettings | None:
    """Read what stands in the topic for an agent, or for a project where no agent is named; None if nothing does.

    Args:
        connection: where the broker is, and the topics' prefix.
        project_key: whose.
        agent_id: of which agent.
        timeout_seconds: the topic is read from its beginning to where it ends now, within this.

    Raises:
        SettingsError: the topic cannot be read, or not in time.
    """
    key = settings_key(project_key, agent_id).decode()
    deadline = time.monotonic() + timeout_seconds
    found: AgentSettings | None = None
    try:
        with subscribe("settings", settings=connection, stop_at_end=True) as records:
            while (received := records.poll(deadline - time.monotonic())) is not None:
                if received.key == key:
                    found = None if isinstance(received.value, Tombstone) else received.value
    except (SubscriptionError, KafkaException) as error:
        hint = "`runledger migrate` creates missing topics"
        raise SettingsError(f"the settings that stand cannot be read: {_words_of(error)} ({hint})") from error
    if time.monotonic() >= deadline:
        raise SettingsError(
            f"the settings that stand could not be read within {timeout_seconds:g} s; nothing is changed"
        )
    return found


def write_settings(connection: ConnectionSettings, settings: AgentSettings) -> None:
    """Write settings as a whole, and wait for the acknowledgement.

    Args:
        connection: where the broker is, and the topics' prefix.
        settings: of `check_settings`.

    Raises:
        SettingsError: the broker did not acknowledge them.
    """
    _send(connection, settings_key(settings.project_key, settings.agent_id), encode(settings))


def remove_settings(connection: ConnectionSettings, project_key: str, agent_id: str | None) -> None:
    """Take back whatever is set for an agent, or for a project where no agent is named; wait for the acknowledgement.

    Raises:
        SettingsError: the broker did not acknowledge it.
    """
    _send(connection, settings_key(project_key, agent_id), None)


def _send(connection: ConnectionSettings, key: bytes, value: bytes | None) -> None:
    failures: list[KafkaError] = []

    def report(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            failures.append(error)

    producer = Producer(
        {
            **kafka_client(connection),
            "client.id": "runledger-settings",
            "enable.idempotence": True,
            "acks": "all",
            "compression.type": "lz4",
            "partitioner": PARTITIONER,
            "delivery.timeout.ms": int(ACKNOWLEDGE_SECONDS * 1000),
            "log_level": 2,
        }
    )
    try:
        producer.produce(SETTINGS.name(connection.topic_prefix), value, key, on_delivery=report)
        unsent = producer.flush(ACKNOWLEDGE_SECONDS + 5)
    except KafkaException as error:
        raise SettingsError(f"the settings cannot be sent: {_words_of(error)}") from error
    if failures or unsent:
        why = failures[0].str() if failures else "no answer in time"
        raise SettingsError(f"the broker did not acknowledge the settings ({why}): look with `runledger agents list`")


def _words_of(error: Exception) -> str:
    return error.args[0].str() if isinstance(error, KafkaException) else str(error)
