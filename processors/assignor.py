"""Who gets which partition: every topic spread over all members, and what a member holds stays with it.

Faust's round robin moves partitions at random with each member that joins; aiokafka's sticky assignor keeps them but
balances only their sum, so that one member may get all of stage 1. A store that stays needs no restoring.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import orjson
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata


def spread(
    partitions: list[int], members: list[str], held: Mapping[int, str], load: Mapping[str, int]
) -> dict[int, str]:
    """Assign one topic's partitions: at most one more to any member than to another, and few moved.

    Args:
        partitions: their numbers, sorted.
        members: who reads the topic, sorted.
        held: {partition: member that had it last}.
        load: {member: partitions of other topics}; ties go to the less loaded.

    Returns:
        {partition: member}.
    """
    quota, spare = divmod(len(partitions), len(members))
    count = dict.fromkeys(members, 0)
    chosen: dict[int, str] = {}
    for partition in partitions:
        member = held.get(partition)
        if member is None or member not in count:
            continue
        if count[member] < quota or (count[member] == quota and spare > 0):
            spare -= count[member] == quota
            count[member] += 1
            chosen[partition] = member
    for partition in partitions:
        if partition not in chosen:
            member = min(members, key=lambda name: (count[name], load[name] + count[name], name))
            count[member] += 1
            chosen[partition] = member
    return chosen


class StickyPerTopic(AbstractPartitionAssignor):
    """The assignor above, as aiokafka's coordinator calls it. What a member holds travels as its user data."""

    name = "runledger-sticky-per-topic"
    version = 0
    _mine: ClassVar[list[tuple[str, int]]] = []

    @classmethod
    def metadata(cls, topics: Any) -> Any:
        """Tell the group what we read and what we hold."""
        return ConsumerProtocolMemberMetadata(cls.version, sorted(topics), orjson.dumps(cls._mine))

    @classmethod
    def on_assignment(cls, assignment: Any) -> None:
        """Remember what we got."""
        cls._mine = [(tp.topic, tp.partition) for tp in assignment.partitions()]

    @classmethod
    def assign(cls, cluster: Any, members: Any) -> dict[str, Any]:
        """Assign every topic; only the group's leader is asked."""
        held: dict[str, dict[int, str]] = {}
        for member in sorted(members, reverse=True):
            for topic, partition in orjson.loads(members[member].user_data or b"[]"):
                held.setdefault(topic, {})[partition] = member
        load = dict.fromkeys(members, 0)
        result: dict[str, dict[str, list[int]]] = {member: {} for member in members}
        for topic in sorted({topic for data in members.values() for topic in data.subscription}):
            readers = sorted(member for member in members if topic in members[member].subscription)
            partitions = sorted(cluster.partitions_for_topic(topic) or ())
            for partition, member in spread(partitions, readers, held.get(topic, {}), load).items():
                result[member].setdefault(topic, []).append(partition)
            for member in readers:
                load[member] += len(result[member].get(topic, ()))
        return {
            member: ConsumerProtocolMemberAssignment(
                cls.version, sorted((topic, sorted(numbers)) for topic, numbers in topics.items()), b""
            )
            for member, topics in result.items()
        }
