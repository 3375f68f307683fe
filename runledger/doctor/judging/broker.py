"""Judge the brokers: reachable, and set so that transactions and groups work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runledger.doctor.broker_facts import Cluster, TopicFacts
from runledger.doctor.findings import Finding, count, ok, problem, some, warning
from runledger.doctor.machine_facts import Servers
from runledger.processors.settings import ProcessorSettings
from runledger.sinks.settings import SinkSettings

_DEFAULTS = {
    "transaction.state.log.replication.factor": 3,
    "transaction.state.log.min.isr": 2,
    "offsets.topic.replication.factor": 3,
    "transaction.max.timeout.ms": 900_000,
    "group.min.session.timeout.ms": 6_000,
    "group.max.session.timeout.ms": 1_800_000,
}
_INTERNAL = {
    "__transaction_state": ("transaction.state.log.replication.factor", "no processor can begin a transaction"),
    "__consumer_offsets": ("offsets.topic.replication.factor", "no worker can join its group"),
}


def judge_broker(cluster: Cluster, servers: Servers) -> Iterator[Finding]:
    """A broker lets us in."""
    if cluster.refusal is not None:
        yield problem(cluster.refusal.found, cluster.refusal.remedy)
        return
    away = [f"{one.address}: {one.trouble}" for one in cluster.nodes if one.trouble]
    if away:
        yield problem(
            f"brokers name addresses that cannot be reached from here: {some(away)}",
            "set advertised.listeners of each broker to an address that clients reach, or mend name service and routes",
        )
    elif cluster.nodes:
        at = servers.connection.kafka if servers.connection is not None else cluster.nodes[0].address
        yield ok(f"{count(len(cluster.nodes), 'broker')} at {at}")


def judge_transactions(
    cluster: Cluster, settings: Mapping[str, str], internal: Mapping[str, TopicFacts]
) -> Iterator[Finding]:
    """The broker's own topics, by which transactions and groups work, can be made and written."""
    brokers, wrong = len(cluster.nodes), False
    for name, (setting, harm) in _INTERNAL.items():
        facts = internal.get(name)
        wanted = _number(settings, setting)
        if (facts is None or not (facts.exists or facts.forbidden)) and wanted > brokers:
            wrong = True
            yield problem(
                f"{setting} is {wanted}, and there {_are(brokers, 'broker')}: {harm}",
                f"set {setting} (and its min.isr) to {min(brokers, 3)} at every broker and start them again, or add "
                "brokers",
            )
        elif facts is not None and facts.exists:
            for one in _unwritable(facts, _in_sync(name, settings)):
                wrong = True
                yield one
    if not wrong:
        yield ok("the broker's own topics can be written")


def _in_sync(name: str, settings: Mapping[str, str]) -> int:
    """How many copies of an internal topic have to be in sync; of groups' positions one is enough."""
    return _number(settings, "transaction.state.log.min.isr") if name == "__transaction_state" else 1


def _unwritable(facts: TopicFacts, needed: int) -> Iterator[Finding]:
    """Partitions of an internal topic that nobody leads, or that have too few copies in sync."""
    leaderless = [str(one.number) for one in facts.partitions if one.leader < 0]
    short = [str(one.number) for one in facts.partitions if one.leader >= 0 and one.in_sync < needed]
    if leaderless or short:
        yield problem(
            f"{facts.name}: {count(len(leaderless), 'partition')} without a leader, {len(short)} with too few copies "
            "in sync",
            "start the brokers that are away",
        )


def judge_broker_settings(settings: Mapping[str, str]) -> Iterator[Finding]:
    """The broker allows the time-outs that the workers ask for, and makes no topic of a misspelt name."""
    findings = [*_time_outs(settings), *_automatic(settings)]
    yield from findings
    if not findings:
        yield ok("our time-outs are within its limits")


def _time_outs(settings: Mapping[str, str]) -> Iterator[Finding]:
    try:
        processor, sink = ProcessorSettings(), SinkSettings()
    except ValueError:
        return  # said by the check of the settings
    least, most = (_number(settings, f"group.{which}.session.timeout.ms") for which in ("min", "max"))
    for worker, seconds in (("processor", processor.session_timeout_seconds), ("sink", sink.session_timeout_seconds)):
        if not least <= seconds * 1000 <= most:
            yield problem(
                f"the {worker}'s session time-out of {seconds:g} s is outside what the broker allows "
                f"({least / 1000:g} to {most / 1000:g} s): it cannot join its group",
                "set RUNLEDGER_SESSION_TIMEOUT_SECONDS to a time within",
                f"export RUNLEDGER_SESSION_TIMEOUT_SECONDS={max(10, -(-least // 1000))}",
            )
    longest = _number(settings, "transaction.max.timeout.ms")
    if processor.transaction_timeout_seconds * 1000 > longest:
        yield problem(
            f"the processors' transaction time-out of {processor.transaction_timeout_seconds:g} s is above the "
            "broker's "
            f"transaction.max.timeout.ms ({longest / 1000:g} s): no store can be opened",
            "set RUNLEDGER_TRANSACTION_TIMEOUT_SECONDS to less",
            "unset RUNLEDGER_TRANSACTION_TIMEOUT_SECONDS",
        )


def _automatic(settings: Mapping[str, str]) -> Iterator[Finding]:
    if settings.get("auto.create.topics.enable") == "true":
        yield warning(
            "auto.create.topics.enable is true: a misspelt prefix makes topics with the wrong settings",
            "set auto.create.topics.enable=false at every broker; `runledger migrate` makes the topics",
        )


def _number(settings: Mapping[str, str], name: str) -> int:
    return int(settings.get(name, _DEFAULTS[name]))


def _are(number: int, thing: str) -> str:
    return f"{'is' if number == 1 else 'are'} {count(number, thing)}"
