"""Find a kind of failure by the beginning of its fingerprint, and say that it is resolved."""

from __future__ import annotations

from dataclasses import dataclass

from runledger.analytics.reader import LedgerReader
from runledger.producers.building import build
from runledger.producers.client import RunClient
from runledger.producers.settings import ProducerSettings
from runledger.schemas.identifiers import resolution_run_id
from runledger.schemas.run_events import FailureResolved

ACKNOWLEDGE_SECONDS = 20.0
_NAMED_AT_MOST = 5


class FingerprintError(Exception):
    """No kind of failure is meant, or several are; the message says what to do."""


class UnknownFingerprintError(FingerprintError):
    """No kind of failure is meant."""


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody says of a kind of failure.

    Args:
        note: how it was resolved.
        by: who says so.
        event_id: a word told twice with the same id counts once; made anew if left out.
    """

    note: str | None = None
    by: str | None = None
    event_id: str | None = None


async def find_fingerprint(reader: LedgerReader, project_key: str, prefix: str) -> str:
    """Return the one fingerprint of a project that begins so.

    Args:
        reader: of the tables.
        project_key: whose failures.
        prefix: 1 to 64 hexadecimal digits, in lower case.

    Raises:
        UnknownFingerprintError: none begins so.
        FingerprintError: several do.
        ReadUnavailableError: the database does not answer in time.
    """
    found = await reader.find_fingerprints(project_key, prefix, _NAMED_AT_MOST + 1)
    if not found:
        hint = "a failure appears about a second after it is recorded; `runledger failures list` shows those known"
        raise UnknownFingerprintError(
            f"project {project_key} has no failure whose fingerprint begins with {prefix} ({hint})"
        )
    if len(found) > 1:
        named = ", ".join(one[: len(prefix) + 8] for one in found[:_NAMED_AT_MOST])
        more = ", …" if len(found) > _NAMED_AT_MOST else ""
        raise FingerprintError(f"several failures of project {project_key} begin with {prefix}: {named}{more}")
    return found[0]


def resolve_failure(settings: ProducerSettings, project_key: str, fingerprint: str, word: Word) -> str:
    """Say that a kind of failure is resolved, wait until the broker has it, and return the event's id.

    Args:
        settings: of the producer; its broker is told, whatever url stands there, and nothing is spooled.
        project_key: whose failure.
        fingerprint: the kind, in full.
        word: what is said.

    Raises:
        InvalidEventError: a value breaks the event model; nothing was sent.
        DeliveryError: the broker has not acknowledged it.
    """
    event = build(
        FailureResolved,
        {"fingerprint": fingerprint, "note": word.note, "by": word.by},
        project=project_key,
        run_id=resolution_run_id(project_key, fingerprint),
        event_id=word.event_id,
    )
    told = settings.model_copy(update={"spool": None, "url": None})
    with RunClient(kafka=settings.kafka, settings=told, strict=True) as client:
        client.publish(event)
        client.flush(ACKNOWLEDGE_SECONDS)
    return event.event_id
