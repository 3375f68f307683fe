"""Count the dead letters that wait for somebody."""

from __future__ import annotations

from collections import Counter

from confluent_kafka import KafkaException

from runledger.dlq.errors import DeadLetterError
from runledger.dlq.letters import Selection
from runledger.dlq.reading import opened
from runledger.doctor.broker_facts import Letters
from runledger.doctor.facts import Facts, Unseen
from runledger.doctor.seeing.kafka import unseen
from runledger.schemas.settings import ConnectionSettings


def see_letters(settings: ConnectionSettings, facts: Facts) -> None:
    """Read the whole topic, by headers; how long that takes depends on what is in it."""
    try:
        with opened(settings) as reader:
            waiting = reader.read(Selection()).chosen()
    except DeadLetterError as error:
        facts.letters = Unseen(str(error))
    except KafkaException as error:
        facts.letters = unseen(error, "the dead letters", "Read on the topic dead-letters")
    else:
        counts = Counter((letter.letter_id.topic, letter.reason) for letter in waiting)
        facts.letters = Letters(counts, min((letter.refused_at for letter in waiting), default=None))
