"""Open a subscription."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, overload

from runledger.schemas.agent_settings import AgentSettings
from runledger.schemas.outcomes import Incident, LoggedRun, RunOutcome, StreakRevised
from runledger.schemas.run_events import AnyRunEvent
from runledger.schemas.scoring import RunScored, ScoringJob
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.snapshots import AgentHealth, RunSnapshot
from runledger.schemas.topics import Topic
from runledger.subscribers.decoding import topic_named
from runledger.subscribers.opening import Start, ends_of, new_consumer, partitions_of, starts_of
from runledger.subscribers.received import Tombstone
from runledger.subscribers.subscription import Subscription

if TYPE_CHECKING:  # it needs an extra
    from runledger.contracts.validating import ContractValidator


class Options(TypedDict, total=False):
    """How to subscribe; `subscribe` tells what each means."""

    start: Start
    group: str | None
    project: str | None
    stop_at_end: bool
    validate: bool
    kafka: str | None
    topic_prefix: str | None
    settings: ConnectionSettings | None


@overload
def subscribe(topic: Literal["run-events"], **options: Unpack[Options]) -> Subscription[AnyRunEvent]: ...
@overload
def subscribe(topic: Literal["runs"], **options: Unpack[Options]) -> Subscription[RunSnapshot | Tombstone]: ...
@overload
def subscribe(topic: Literal["run-outcomes"], **options: Unpack[Options]) -> Subscription[RunOutcome]: ...
@overload
def subscribe(topic: Literal["agents"], **options: Unpack[Options]) -> Subscription[AgentHealth | Tombstone]: ...
@overload
def subscribe(topic: Literal["run-log"], **options: Unpack[Options]) -> Subscription[LoggedRun | StreakRevised]: ...
@overload
def subscribe(topic: Literal["incidents"], **options: Unpack[Options]) -> Subscription[Incident]: ...
@overload
def subscribe(topic: Literal["scoring-jobs"], **options: Unpack[Options]) -> Subscription[ScoringJob]: ...
@overload
def subscribe(topic: Literal["run-scores"], **options: Unpack[Options]) -> Subscription[RunScored]: ...
@overload
def subscribe(topic: Literal["settings"], **options: Unpack[Options]) -> Subscription[AgentSettings | Tombstone]: ...
def subscribe(
    topic: str,
    *,
    start: Start = "beginning",
    group: str | None = None,
    project: str | None = None,
    stop_at_end: bool = False,
    validate: bool = False,
    kafka: str | None = None,
    topic_prefix: str | None = None,
    settings: ConnectionSettings | None = None,
) -> Subscription[Any]:
    """Read a topic: only what was committed, each record decoded and validated.

    Without a group every subscription reads everything from its start. With a group its members share the partitions
    and go on where the group stopped; a record counts as dealt with when the next one is asked for, so after a crash
    the last one comes again.

    Args:
        topic: its name without the prefix: run-events, runs, run-outcomes, agents, run-log, incidents, scoring-jobs,
            run-scores or settings.
        start: "beginning", "latest" (what is written from now on), or a log time; of a group, only where it has no
            position yet.
        group: name of a consumer group.
        project: only this project's records.
        stop_at_end: end the iteration where the topic ends now.
        validate: hold value, key and headers of each record against the topic's contract (docs/contracts.md), and
            treat what breaks it as what cannot be decoded. Needs the extra `contracts`.
        kafka: bootstrap servers; RUNLEDGER_KAFKA if left out.
        topic_prefix: prefix of the topics; RUNLEDGER_TOPIC_PREFIX if left out.
        settings: everything at once, instead of the two above.

    Raises:
        SubscriptionError: Kafka does not answer, or has no such topic.
        ModuleNotFoundError: to validate, the extra `contracts` is missing.
        ValueError: the topic is none of these, the time has no time zone, or the group cannot be had like this.
    """
    wanted = topic_named(topic)
    if isinstance(start, datetime) and start.tzinfo is None:
        raise ValueError("start has no time zone")
    if group is not None and (stop_at_end or isinstance(start, datetime)):
        raise ValueError("a group starts where it stopped and never ends: neither a time nor stop_at_end goes with it")
    validator = _validator_of(wanted) if validate else None
    given = {"kafka": kafka, "topic_prefix": topic_prefix}
    connection = (settings or ConnectionSettings()).model_copy(
        update={name: value for name, value in given.items() if value is not None}
    )
    name = wanted.name(connection.topic_prefix)
    consumer = new_consumer(connection, group, start)
    try:
        partitions = partitions_of(consumer, name)
        ends: dict[int, int] | None = None
        if group is None:
            ends = ends_of(consumer, name, partitions)
            consumer.assign(starts_of(consumer, name, partitions, start, ends))
        else:
            consumer.subscribe([name])
    except BaseException:
        consumer.close()
        raise
    until = ends if stop_at_end else None
    return Subscription(consumer, wanted, grouped=group is not None, project=project, until=until, validator=validator)


def _validator_of(topic: Topic) -> ContractValidator:
    from runledger.contracts import contract_of  # noqa: PLC0415  # only who validates pays for it
    from runledger.contracts.validating import ContractValidator  # noqa: PLC0415  # it needs an extra

    return ContractValidator(contract_of(topic))
