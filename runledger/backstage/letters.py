"""Look at dead letters, and send the record of one again: by what `runledger dlq` does."""

from __future__ import annotations

from typing import get_args

from confluent_kafka import KafkaException

from runledger.analytics.dashboard.backstage import BackstageError, LetterSeen, LettersLook, Replay
from runledger.analytics.dashboard.glimpses import LookError
from runledger.dlq.dealing import deal
from runledger.dlq.errors import DeadLetterError
from runledger.dlq.letters import Box, Letter, Selection, State
from runledger.dlq.reading import opened
from runledger.dlq.rendering import safe_text
from runledger.schemas.dead_letters import REASONS
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import ALL_TOPICS

NEWEST = 500
"""Of each partition so many records are looked at: what an operator faces, whatever lies in the topic."""


def look_at_letters(settings: ConnectionSettings) -> LettersLook:
    """Look at the newest dead letters.

    Raises:
        LookError: they cannot be read.
    """
    try:
        with opened(settings) as reader:
            box = reader.read(Selection(states=frozenset(get_args(State))), newest=NEWEST)
    except DeadLetterError as error:
        raise LookError("the topic cannot be read to its end", str(error)) from error
    except KafkaException as error:
        raise LookError("the broker does not show them", error.args[0].str()) from error
    return LettersLook(tuple(_seen(letter, box, settings) for letter in box.chosen()), box.is_whole)


def _seen(letter: Letter, box: Box, settings: ConnectionSettings) -> LetterSeen:
    where, mark = letter.letter_id, box.mark_of(letter)
    suffix = where.topic.removeprefix(settings.topic_prefix)
    return LetterSeen(
        place=safe_text(f"{suffix}/{where.partition}/{where.offset}"),
        project_key=letter.project_key,
        topic=safe_text(suffix),
        reason=safe_text(letter.reason, 40),
        meaning=next((text for reason, text in REASONS.items() if reason == letter.reason), "unknown to this version"),
        detail=safe_text(letter.detail),
        reader=safe_text(letter.reader, 40),
        refused_at=letter.refused_at,
        value_bytes=letter.value_bytes,
        state=box.state_of(letter),
        dealt_with_by=None if mark is None else safe_text(mark.by, 100),
        hindrance=_hindrance(letter, suffix),
    )


def _hindrance(letter: Letter, suffix: str) -> str | None:
    """Say what hinders a replay, as far as can be told without the record itself."""
    topic = next((topic for topic in ALL_TOPICS if topic.suffix == suffix), None)
    hindrances = (
        (topic is None, "its topic is none of ours"),
        (topic is not None and topic.cleanup == "compact", "its topic holds each key's newest state"),
        (not letter.is_whole, "it was too large to be kept whole"),
        (not letter.value_bytes, "it has no value"),
    )
    return next((why for hinders, why in hindrances if hinders), None)


def replay_letter(settings: ConnectionSettings, project_key: str, place: str, by: str) -> Replay:
    """Send the record of one letter again, once for ever.

    Args:
        settings: where the broker is.
        project_key: whose record it has to be.
        place: topic/partition/offset, as `LetterSeen` has it.
        by: who does it.

    Raises:
        BackstageError: it could not be done.
    """
    topic, partition, offset = _place(place)
    full_name = f"{settings.topic_prefix}{topic}"
    selection = Selection(places=frozenset({(full_name, partition, offset)}), project_key=project_key)
    try:
        report = deal(settings, selection, "replayed", by)
    except DeadLetterError as error:
        raise BackstageError(str(error)) from error
    except KafkaException as error:
        raise BackstageError(f"the broker does not take it: {error.args[0].str()}; try again") from error
    return Replay(report.done, {str(letter.letter_id): safe_text(why) for letter, why in report.left})


def _place(text: str) -> tuple[str, int, int]:
    topic, *numbers = text.rsplit("/", 2)
    if len(numbers) != 2 or not all(one.isascii() and one.isdigit() and len(one) < 19 for one in numbers):  # noqa: PLR2004  # partition and offset, below 2^63
        raise BackstageError("this is no place of a record")
    return topic, int(numbers[0]), int(numbers[1])
