"""Every topic, from the table of topics and the contracts."""

from __future__ import annotations

from reference.markdown import code, page, prose, section, table
from runledger.contracts.contracts import CONTRACTS, REASONS, Contract
from runledger.schemas.topics import ALL_TOPICS, DEFAULT_PARTITIONS, DEFAULT_PREFIX, PARTITIONER, Topic

_DAY_MS = 24 * 60 * 60 * 1000
_INTRO = f"""
Names begin with the [prefix](settings.md#connection) `{DEFAULT_PREFIX}`. All topics have the same number of
partitions, `RUNLEDGER_PARTITIONS` ({DEFAULT_PARTITIONS}), chosen once. Keys are spread by `{PARTITIONER}`, as Java's
clients do it; all of a key lies in one partition, in order. `runledger migrate` makes the topics. What may change,
and how to read them: [Contracts](../contracts.md), [Subscribing](../subscribe.md).
"""


def topics_page() -> str:
    """Write the page."""
    contracts = {contract.topic: contract for contract in CONTRACTS}
    head = ("topic", "records", "key", "cleanup", "kept", "written by", "read by")
    overview = table(head, (_row(topic, contracts.get(topic)) for topic in ALL_TOPICS))
    return page("Topics", _INTRO, overview, *(_topic(topic, contracts.get(topic)) for topic in ALL_TOPICS))


def _row(topic: Topic, contract: Contract | None) -> list[str]:
    link = f"[`{topic.suffix}`](#{topic.suffix})"
    return [link, _records(topic, contract), topic.key, topic.cleanup, _kept(topic), topic.written_by, topic.read_by]


def _records(topic: Topic, contract: Contract | None) -> str:
    types = topic.record.split(" | ") if topic.record != "RunEvent" else []
    told = "[events](../events.md)" if not types else ", ".join(code(name) for name in types)
    return told + (", tombstones" if contract is not None and contract.reasons else "")


def _kept(topic: Topic) -> str:
    return "the newest of each key" if topic.retention_ms is None else f"{topic.retention_ms // _DAY_MS} days"


def _topic(topic: Topic, contract: Contract | None) -> str:
    config = table(
        ("setting of the topic", "value"), ([code(name), code(value)] for name, value in topic.config().items())
    )
    return section(2, topic.suffix, f"Its whole name: {code(topic.name())}.", _promise(contract), config)


def _promise(contract: Contract | None) -> str:
    """Say what programs of others may rely on."""
    if contract is None:
        return "Runledger's own: it has no contract."
    records = ", ".join(code(message.__name__) for message in contract.messages)
    apart = ", told apart by `type`" if len(contract.messages) > 1 else ""
    headers = [[code(name), prose(rules["description"])] for name, rules in contract.headers()["properties"].items()]
    reasons = [[code(reason), prose(REASONS[reason])] for reason in contract.reasons]
    return "\n\n".join(
        part
        for part in (
            f"Contract: `contracts/topics/{contract.name}.json`, with the fields of {records}{apart}. "
            f"Keys match {code(contract.key()['pattern'])}.",
            table(("header", "meaning"), headers),
            table(("why a tombstone", "meaning"), reasons),
        )
        if part
    )
