"""What the settings of a topic that exists have to be, and what harm is done where they are not; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runledger.schemas.topics import Topic

_FOR_EVER = -1
_SAFE_COPIES = 3
"""With so many, two of them may be asked to have a record before it counts as written."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting that is not what it has to be.

    Args:
        name: as Kafka calls it.
        found: its value.
        needed: the value it has to have.
        harm: what the present value does.
        serious: whether something goes wrong by it, rather than may.
    """

    name: str
    found: str
    needed: str
    harm: str
    serious: bool


def differences(topic: Topic, config: Mapping[str, str], replicas: int) -> Iterator[Difference]:
    """Compare a topic's settings with what Runledger needs.

    Args:
        topic: which one.
        config: {setting: value in force}; what is missing is not judged.
        replicas: copies of each of its partitions.
    """
    needed = topic.config()
    yield from _exact(topic, config, needed)
    yield from _at_least(topic, config, needed)
    yield from _copies(config, replicas)


def _exact(topic: Topic, config: Mapping[str, str], needed: Mapping[str, str]) -> Iterator[Difference]:
    harms = {
        "cleanup.policy": "states are deleted by age, and those who start again have none"
        if topic.cleanup == "compact"
        else "of records with one key all but the last are removed",
        "message.timestamp.type": "agents' own clocks decide what is late and what is deleted; the sink stops at it",
    }
    for name, harm in harms.items():
        if (found := config.get(name, needed[name])) != needed[name]:
            yield Difference(name, found, needed[name], harm, serious=True)


def _at_least(topic: Topic, config: Mapping[str, str], needed: Mapping[str, str]) -> Iterator[Difference]:
    name = "max.message.bytes"
    if int(config.get(name, needed[name])) < int(needed[name]):
        yield Difference(name, config[name], needed[name], "large records are refused", serious=True)
    if topic.cleanup == "compact":
        return
    early = "who is away for longer finds its records deleted"
    name, wanted = "retention.ms", int(needed.get("retention.ms", 0))
    if _FOR_EVER != int(config.get(name, wanted)) < wanted:
        yield Difference(name, config[name], needed[name], early, serious=False)
    name = "retention.bytes"
    if int(config.get(name, _FOR_EVER)) != _FOR_EVER:
        yield Difference(name, config[name], str(_FOR_EVER), f"records go by size, not by age: {early}", serious=False)


def _copies(config: Mapping[str, str], replicas: int) -> Iterator[Difference]:
    name = "min.insync.replicas"
    in_sync = int(config.get(name, 1))
    wanted = 2 if replicas >= _SAFE_COPIES else 1
    if replicas and in_sync > replicas:
        harm = f"there are {replicas} copies, so nothing can be written"
        yield Difference(name, str(in_sync), str(wanted), harm, serious=True)
    elif replicas >= _SAFE_COPIES and in_sync < wanted:
        harm = "what was acknowledged by one broker is lost with it"
        yield Difference(name, str(in_sync), str(wanted), harm, serious=False)
    elif in_sync > 1 and in_sync == replicas:
        harm = "nothing can be written while any one broker is away"
        yield Difference(name, str(in_sync), str(max(1, replicas - 1)), harm, serious=False)
    name = "unclean.leader.election.enable"
    if config.get(name, "false") != "false":
        harm = "a broker that lacks acknowledged records may become the leader, and they are lost"
        yield Difference(name, config[name], "false", harm, serious=False)
