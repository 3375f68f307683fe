"""From sampled stacks to the parts of our processes: which file's function held the interpreter, and for how long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Part: TypeAlias = tuple[str, Sequence[str]]
"""(part's name, pieces of the paths of its files)"""

OTHERS = "the rest"
PROCESSOR: tuple[Part, ...] = (
    ("read and check events", ("schemas/quick_events", "schemas/lean_events", "schemas/run_events", "schemas/codec")),
    ("find repeats", ("processors/dedupe",)),
    ("reduce: runs", ("processors/ledger", "processors/usage", "processors/evolve", "processors/pricing")),
    ("reduce: outcomes and agents", ("processors/outcomes", "processors/streaks", "processors/agent_stage")),
    ("encode snapshots and outcomes", ("schemas/quick_records", "schemas/snapshots", "schemas/outcomes")),
    ("produce and commit", ("processors/store",)),
    ("keep state, deadlines", ("processors/state", "processors/timers", "processors/deadlines", "processors/bounds")),
    ("fold: the loop around these", ("processors/", "schemas/")),
    ("fetch: Kafka's protocol", ("aiokafka/", "kafka/", "cramjam")),
    ("Faust and the event loop", ("faust/", "mode/", "asyncio/", "selectors")),
)
SINK: tuple[Part, ...] = (
    ("take records from librdkafka", ("sinks/consumer", "sinks/positions", "sinks/batch")),
    ("decode", ("sinks/decoding", "sinks/records", "schemas/")),
    ("make rows", ("sinks/rows", "sinks/texts")),
    ("write COPY's text", ("sinks/copying", "sinks/loading", "psycopg/_copy")),
    ("statements", ("psycopg/",)),
    ("decide what to write", ("sinks/",)),
)
SDK: tuple[Part, ...] = (
    ("mask", ("producers/masking",)),
    (
        "build and check the event",
        ("producers/quick_building", "producers/tellings", "producers/building", "schemas/", "pydantic/"),
    ),
    ("produce", ("producers/kafka_transport", "producers/transport", "producers/outbox")),
    ("deliveries and counts", ("producers/deliveries", "producers/stats", "producers/weighing", "producers/publisher")),
    ("calls", ("producers/", "benchmarks/producing")),
)
GATEWAY: tuple[Part, ...] = (
    ("mask", ("producers/masking",)),
    ("build and check the event", ("producers/quick_building", "producers/building", "schemas/", "pydantic/")),
    ("who asks", ("access/",)),
    ("routes and answers", ("producers/gateway",)),
    ("produce and be told", ("producers/",)),
    ("FastAPI and Starlette", ("fastapi/", "starlette/")),
    ("HTTP and the event loop", ("uvicorn/", "asyncio/", "selectors", "h11/", "httptools")),
)


def shares(collapsed: str, parts: Sequence[Part], leave_out: Sequence[str] = ()) -> dict[str, float]:
    """Share of the samples that each part has, in the parts' order; what belongs to none comes last.

    A sample belongs to the innermost function whose file is one of a part's: what a part calls outside of ours, counts
    for it.

    Args:
        collapsed: lines of `outer (file:line);…;inner (file:line) samples`.
        parts: the earlier of two that fit counts.
        leave_out: pieces of paths; a sample with one of them anywhere does not count at all.
    """
    counted: Counter[str] = Counter()
    for line in collapsed.splitlines():
        stack, _, samples = line.rpartition(" ")
        if stack and not any(piece in stack for piece in leave_out):
            counted[_part_of(stack.split(";"), parts)] += int(samples)
    total = counted.total() or 1
    return {name: counted[name] / total for name in (*(name for name, _ in parts), OTHERS) if counted[name]}


def _part_of(frames: Sequence[str], parts: Sequence[Part]) -> str:
    for frame in reversed(frames):
        for name, pieces in parts:
            if any(piece in frame for piece in pieces):
                return name
    return OTHERS


def micros(split: Mapping[str, float], interpreter: float, native: float) -> dict[str, float]:
    """Microseconds for each event by part.

    Args:
        split: shares of the interpreter's time.
        interpreter: microseconds of CPU for each event in threads that run Python.
        native: the same in librdkafka's own threads.
    """
    told = {name: round(share * interpreter, 2) for name, share in split.items()}
    return {**told, "librdkafka's threads: fetch, compress, send": round(native, 2)}
