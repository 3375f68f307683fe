"""What is wrong with the pipeline, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from runledger.analytics.dashboard.backstage import BrokerLook, LettersLook, WorkerLook
from runledger.analytics.dashboard.formats import duration
from runledger.analytics.dashboard.glimpses import Glimpse
from runledger.analytics.dashboard.pages.pipeline_lag import ReaderLag, Worker
from runledger.analytics.pipeline import Pipeline
from runledger.analytics.progress import MOST_JOBS, Outbox

PATIENCE_SECONDS = 60.0
"""What waits for longer is stuck (docs/doctor.md)."""
MANY_RECORDS = 10_000
_WORKERS: tuple[Worker, ...] = ("processor", "sink", "scorer")


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing that is wrong.

    Args:
        verdict: problem: it does not work; warning: it does, and somebody should look.
        what: in a sentence.
        remedy: what to do, in a sentence.
        command: the same to be typed; empty where nothing is to be typed.
    """

    verdict: Literal["problem", "warning"]
    what: str
    remedy: str
    command: str = ""


@dataclass(frozen=True, slots=True)
class Sight:
    """All that is judged.

    Args:
        pipeline: how far the tables have come.
        outbox: scoring jobs that are not sent.
        broker, workers: as last seen.
        letters: of the viewer's project that wait.
        lags: of every reader.
        stuck: readers that have not moved for a minute although records wait.
    """

    pipeline: Pipeline
    outbox: Outbox
    broker: Glimpse[BrokerLook]
    workers: Glimpse[tuple[WorkerLook, ...]]
    letters: int
    lags: Sequence[ReaderLag]
    stuck: Sequence[ReaderLag]


def advise(sight: Sight) -> list[Advice]:
    """Say what is wrong, the likeliest cause of the rest first; nothing where nothing is."""
    return [
        *_of_broker(sight.broker),
        *_of_groups(sight),
        *_of_workers(sight.workers),
        *_of_lags(sight),
        *_of_tables(sight),
        *_of_outbox(sight.outbox),
        *_of_letters(sight.letters),
    ]


def _of_broker(broker: Glimpse[BrokerLook]) -> Iterator[Advice]:
    if broker.trouble:
        yield Advice(
            "problem",
            f"{_sentence(broker.trouble)} Lag and dead letters cannot be seen; what agents send waits with them.",
            "Start the broker, or see its log; the rest catches up by itself.",
            "runledger doctor",
        )


def _of_groups(sight: Sight) -> Iterator[Advice]:
    broker = sight.broker.seen
    if broker is None or sight.broker.trouble:
        return
    for worker in _WORKERS:
        if broker.members.get(worker) == 0:
            waiting = sum(lag.waiting or 0 for lag in sight.lags if lag.worker == worker)
            left = f"; {waiting:,} records wait for it" if waiting else ""
            yield Advice(
                "problem", f"No {worker} runs{left}.", "Start one, or see why it ended.", f"runledger worker {worker}"
            )


def _of_workers(workers: Glimpse[tuple[WorkerLook, ...]]) -> Iterator[Advice]:
    for worker in workers.seen or ():
        if worker.problem is not None:
            yield Advice(
                "problem",
                f"{worker.name}: {_sentence(worker.problem)}",
                "See its log for what it waits for.",
                "runledger status",
            )


def _of_lags(sight: Sight) -> Iterator[Advice]:
    broker = sight.broker.seen
    if broker is None:
        return
    for lag in sight.lags:
        if not lag.waiting or broker.members.get(lag.worker) == 0:
            continue
        where = f"{lag.waiting:,} records of {lag.topic} wait for {_the(lag.reader)}"
        if lag in sight.stuck:
            numbers = ", ".join(str(one.number) for one in lag.worst[:5])
            yield Advice(
                "problem",
                f"{where}, which does not go on (partition {numbers}).",
                f"See the {lag.worker}'s log for what it waits for, then start it again.",
            )
        elif lag.waiting >= MANY_RECORDS:
            yield Advice(
                "warning",
                f"{where}; it goes on.",
                "Wait, or start more of it: they share the work.",
                f"runledger worker {lag.worker}",
            )


def _of_tables(sight: Sight) -> Iterator[Advice]:
    match sight.pipeline.state:
        case "unknown":
            yield Advice(
                "problem",
                "No watch has ever told how far the pipeline has come: no agent is called quiet, no webhook is told.",
                "Start it.",
                "runledger worker watch",
            )
        case "behind":
            yield Advice(
                "problem",
                f"The tables are known to hold only what was logged {duration(sight.pipeline.lag_seconds)} ago.",
                "Where nothing else is wrong here, the watch is away: start it.",
                "runledger worker watch",
            )
        case "current":
            return


def _of_outbox(outbox: Outbox) -> Iterator[Advice]:
    if outbox.oldest_seconds is not None and outbox.oldest_seconds > PATIENCE_SECONDS:
        jobs = f"{outbox.jobs:,}" if outbox.jobs < MOST_JOBS else f"{MOST_JOBS:,} or more"
        yield Advice(
            "problem",
            f"{jobs} scoring jobs are not sent, the oldest for {duration(outbox.oldest_seconds)}.",
            "Start a relay, or see its log.",
            "runledger worker relay",
        )


def _of_letters(waiting: int) -> Iterator[Advice]:
    if waiting:
        records = "1 record was refused and waits" if waiting == 1 else f"{waiting:,} records were refused and wait"
        yield Advice(
            "warning",
            f"{records} for somebody to look.",
            "See below why; replay them once their reader takes them, or set them aside.",
            "runledger dlq list",
        )


def waiting_letters(letters: Glimpse[LettersLook], project_key: str) -> int:
    """Count the dead letters of a project that wait."""
    if letters.seen is None:
        return 0
    return sum(one.state == "waiting" and one.project_key == project_key for one in letters.seen.letters)


def _the(reader: str) -> str:
    return reader if reader.startswith("stage") else f"the {reader}"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:].rstrip(".") + "."
