"""Read topics of Runledger as any program may: committed records only, each held against its topic's contract.

    python subscriber.py [--follow] [TOPIC ...]

Prints a line of JSON for each record. RUNLEDGER_KAFKA says where the brokers are. Exits with 1 if a record broke its
contract; what was wrong with it stands in the log, without its payload.
"""

from __future__ import annotations

import json
import logging
import sys

from runledger import Received, Subscription, Tombstone, subscribe
from runledger.contracts import CONTRACTS

TOPICS = [contract.topic.suffix for contract in CONTRACTS]


def line_of(received: Received[object]) -> str:
    """Say in a line what came and where it stands."""
    value = received.value
    return json.dumps(
        {
            "topic": received.topic,
            "partition": received.partition,
            "offset": received.offset,
            "key": received.key,
            "what": f"Tombstone: {value.reason}" if isinstance(value, Tombstone) else type(value).__name__,
        }
    )


def read(topic: str, *, follow: bool) -> int:
    """Print a topic's records; return how many broke its contract."""
    records: Subscription[object]
    records = subscribe(topic, stop_at_end=not follow, validate=True)  # type: ignore[call-overload]  # whatever it holds
    with records:
        for received in records:
            print(line_of(received), flush=follow)
        return records.skipped


def main(arguments: list[str]) -> int:
    """Read the topics one after the other; with --follow the first one, for ever."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    follow = "--follow" in arguments
    topics = [argument for argument in arguments if argument != "--follow"] or TOPICS
    broken = sum(read(topic, follow=follow) for topic in topics)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
