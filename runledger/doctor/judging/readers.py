"""Judge the workers that read topics: who is there, what waits, and whether positions fit the logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from runledger.doctor.broker_facts import Bounds, Letters, Partition, Reader, TopicFacts
from runledger.doctor.findings import Finding, count, lasting, ok, problem, some, warning
from runledger.schemas.snapshots import Position as StagePosition
from runledger.schemas.topics import AGENT_POSITIONS, AGENTS, RUN_EVENTS, RUN_OUTCOMES, RUN_POSITIONS, RUNS, Topic
from runledger.sinks.errors import StopLoudlyError
from runledger.sinks.offsets import LogFacts, check_position
from runledger.sinks.offsets import Position as SinkPosition
from runledger.sinks.records import SOURCES

_SETTLED = frozenset({"Stable", "Empty", "Dead"})
_LOST = (
    "restore the topic, or the database, to the same moment (docs/operations.md); where the loss is accepted, begin "
    "a new "
    "ledger: another RUNLEDGER_TOPIC_PREFIX and an empty database"
)


def reader_judge(worker: str) -> Callable[[Mapping[str, Reader], datetime, float], Iterator[Finding]]:
    """Make the judgement of one kind of worker."""

    def judge(readers: Mapping[str, Reader], now: datetime, patience_seconds: float) -> Iterator[Finding]:
        yield _judge_reader(worker, readers[worker], now, patience_seconds)

    judge.__doc__ = f"Some {worker} runs, and keeps up."
    return judge


def _judge_reader(worker: str, reader: Reader, now: datetime, patience_seconds: float) -> Finding:
    group, waiting = reader.group, reader.waiting
    records = sum(one.records for one in waiting.values())
    oldest = min((one.logged_at for one in waiting.values()), default=now)
    seconds = max(0.0, (now - oldest).total_seconds())
    behind = f"{count(records, 'record')} {'waits' if records == 1 else 'wait'}, the oldest for {lasting(seconds)}"
    if group.members == 0:
        what = f"; {behind}" if waiting else ""
        return problem(
            f"no {worker} runs (group {group.name}){what}",
            "start one, or see why it ended",
            f"runledger worker {worker}",
        )
    there = f"{count(group.members, 'process').replace('processs', 'processes')}"
    if group.state not in _SETTLED:
        return warning(
            f"{there} of the group {group.name} divide its partitions just now ({group.state})",
            "look again in a minute; if it stays so, see the logs of those processes",
        )
    if waiting and seconds > patience_seconds:
        if any(one.moves for one in waiting.values()):
            return warning(f"{behind}; it goes on", f"wait, or start more: `runledger worker {worker}` shares the work")
        stuck = [f"{topic}[{number}]" for topic, number in sorted(waiting)]
        return problem(
            f"{behind}; it does not go on in {some(stuck)}",
            f"see the {worker}'s log for what it waits for, then start it again",
        )
    return ok(f"{there}, {behind if waiting else 'nothing waits'}")


def judge_sink_positions(
    positions: Mapping[Partition, SinkPosition], bounds: Mapping[Partition, Bounds], topics: Mapping[Topic, TopicFacts]
) -> Iterator[Finding]:
    """Where the sink stands fits the logs: same topics, and offsets that they still hold."""
    wrong: dict[str, list[str]] = {}
    for topic in SOURCES:
        facts = topics[topic]
        for part in facts.partitions:
            source = facts.name, part.number
            if source not in bounds:
                continue
            held = bounds[source]
            log = LogFacts(held.low, held.high, facts.topic_id, len(facts.partitions))
            try:
                check_position(source, positions.get(source), log)
            except StopLoudlyError as error:
                wrong.setdefault(facts.name, []).append(str(error))
    for errors in wrong.values():
        more = f" (and {len(errors) - 1} more partitions)" if len(errors) > 1 else ""
        yield problem(f"the sink stops: {errors[0]}{more}", _LOST)
    if not wrong:
        yield ok(f"all within their logs ({count(len(positions), 'partition')})")


def judge_stage_positions(
    positions: Mapping[Partition, StagePosition],
    bounds: Mapping[Partition, Bounds],
    topics: Mapping[Topic, TopicFacts],
) -> Iterator[Finding]:
    """Where the processors stand fits the logs and the topics that hold their states."""
    wrong: dict[str, list[str]] = {}
    for source, changelog, record in ((RUN_EVENTS, RUNS, RUN_POSITIONS), (RUN_OUTCOMES, AGENTS, AGENT_POSITIONS)):
        facts, states = topics[source], topics[changelog]
        for part in facts.partitions:
            place, beside = (facts.name, part.number), (states.name, part.number)
            if place not in bounds or beside not in bounds or (topics[record].name, part.number) not in bounds:
                continue
            why = _mismatch(positions.get(place), bounds[place], bounds[beside], facts, states)
            if why:
                wrong.setdefault(facts.name, []).append(f"{facts.name}[{part.number}]: {why}")
    for errors in wrong.values():
        more = f" (and {len(errors) - 1} more partitions)" if len(errors) > 1 else ""
        yield problem(f"the processor stops: {errors[0]}{more}", _LOST)
    if not wrong:
        yield ok(f"all within their logs ({count(len(positions), 'partition')})")


def _mismatch(held: StagePosition | None, log: Bounds, states: Bounds, facts: TopicFacts, changelog: TopicFacts) -> str:
    """Say why a store could not be opened, as the processor would; empty where it could."""
    if states.low > 0:
        return f"{changelog.name} was emptied: it begins at {states.low}, so states are gone"
    if held is None:
        return _unheld(log, states, changelog.name)
    if (held.topic_id, held.partition_count) != (facts.topic_id, len(facts.partitions)):
        return (
            f"the topic was recreated or re-partitioned: the position speaks of {held.topic_id} with "
            f"{held.partition_count} partitions, the broker of {facts.topic_id} with {len(facts.partitions)}"
        )
    if held.changelog_id not in {"", changelog.topic_id}:
        return f"{changelog.name} was recreated: the states of {held.next_offset} offsets are gone"
    fits = log.low <= held.next_offset <= log.high
    return "" if fits else f"the position is {held.next_offset}, but the log holds {log.low} to {log.high}"


def _unheld(log: Bounds, states: Bounds, changelog: str) -> str:
    """Say why a store could not be opened for which no position stands; empty where it begins anew."""
    if states.high > states.low:
        return f"{changelog} holds records but no position stands beside it"
    return f"the log begins at {log.low}, and no position says what was folded before" if log.low > 0 else ""


def judge_letters(letters: Letters, now: datetime) -> Iterator[Finding]:
    """No dead letter waits for somebody to look at it."""
    waiting = sum(letters.counts.values())
    if not waiting or letters.oldest is None:
        yield ok("none waits")
        return
    reasons: dict[str, int] = {}
    for (_, reason), number in letters.counts.items():
        reasons[reason] = reasons.get(reason, 0) + number
    named = [f"{number} {reason}" for reason, number in sorted(reasons.items(), key=lambda one: -one[1])]
    age = lasting(max(0.0, (now - letters.oldest).total_seconds()))
    yield warning(
        f"{count(waiting, 'record')} refused and waiting, the first for {age}: {some(named)}",
        "look at them, then replay or drop them (docs/dead-letters.md)",
        "runledger dlq list",
    )
