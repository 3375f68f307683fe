"""One contestant of B3, in a process of its own: `python -m benchmarks.producing sdk|raw EVENTS RUNS`.

Prints the seconds from the first call until the broker has acknowledged the last event. With --stay it begins when it
is told (SIGUSR1) and stays afterwards, so that somebody can look at it.
"""

from __future__ import annotations

import signal
import sys
import time
from uuid import UUID

from benchmarks import topics
from benchmarks.load import AGENTS, PROJECT, Load, tokens_of
from runledger import RunClient
from runledger.producers.settings import ProducerSettings
from runledger.schemas.codec import CONTENT_TYPE, EVENT_ID_HEADER
from runledger.schemas.topics import RUN_EVENTS

_FLUSH_SECONDS = 120
_ANY_PARTITION, _NOW = -1, 0


def by_sdk(settings: ProducerSettings, load: Load) -> float:
    """Report usage through the SDK, as an agent does: each call validates, masks, encodes and queues an event."""
    run_ids = list(dict.fromkeys(UUID(record.key.decode().partition("/")[2]) for record in load.records))
    with RunClient(settings=settings, strict=True) as client:
        began = time.perf_counter()
        for number in range(load.count):
            turn, run = divmod(number, load.runs)
            client.report_usage(
                PROJECT,
                run_ids[run],
                agent=f"agent-{run % AGENTS:02}",
                input_tokens=tokens_of(run, turn),
                output_tokens=50 + turn,
                cost_usd=0.028,
                llm_calls=1,
                model="claude-sonnet-4-5",
                prompt_preview="Which flights leave tomorrow before noon, and what do they cost?",
            )
        client.flush(_FLUSH_SECONDS)
        return time.perf_counter() - began


def raw(settings: ProducerSettings, values: list[tuple[bytes, bytes, bytes]]) -> float:
    """Hand the same bytes to confluent-kafka, configured as the SDK configures it, by the call that costs it least."""
    topic, producer = RUN_EVENTS.name(settings.topic_prefix), topics.producer_of(settings.kafka)
    content_type = CONTENT_TYPE.encode()
    began = time.perf_counter()
    for key, value, event_id in values:
        while True:
            try:
                headers: dict[str, str | bytes | None] = {EVENT_ID_HEADER: event_id, "content-type": content_type}
                producer.produce(topic, value, key, _ANY_PARTITION, None, None, _NOW, headers)
                break
            except BufferError:
                producer.poll(0.1)
    if producer.flush(_FLUSH_SECONDS):
        raise SystemExit("not everything was acknowledged")
    return time.perf_counter() - began


def written(settings: ProducerSettings) -> list[tuple[bytes, bytes, bytes]]:
    """(key, value, event id) of what the SDK wrote."""
    found: list[tuple[bytes, bytes, bytes]] = []
    identity = b"0" * 36

    def take(key: bytes, value: bytes | None) -> None:
        if value is not None:
            found.append((key, value, identity))

    topics.read_all(settings.kafka, RUN_EVENTS.name(settings.topic_prefix), take)
    return found


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    how, count, runs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    watched = "--stay" in sys.argv
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    producer_settings = ProducerSettings()
    if how == "sdk":
        made = Load(count, runs)
        made.records  # noqa: B018  # made before the clock starts
        if watched:
            _say("ready")
            signal.sigwait([signal.SIGUSR1])
        seconds = by_sdk(producer_settings, made)
    else:
        seconds = raw(producer_settings, written(producer_settings))
    _say(str(seconds))
    if watched:
        _say("done")
        signal.sigwait([signal.SIGUSR1])
