"""A cluster of two brokers, of which the second may be killed: partitions that only it holds have no leader then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from signal import Signals

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # exported at run time

from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import ALL_TOPICS
from runledger.stack.kafka import kafka_service
from runledger.stack.paths import StackFolder, default_cache_dir
from runledger.stack.ports import LOOPBACK, Ports, settle_ports
from tests.faults.servers import Server, own_kafka
from tests.servers import stack_folder


@dataclass(frozen=True, slots=True)
class TwoBrokers:
    """The first one holds groups and transactions; the second one whatever is put there."""

    first: Server
    second: Server

    def make_topics(self, settings: ConnectionSettings) -> None:
        """Create every topic on the second broker alone."""
        admin = AdminClient({"bootstrap.servers": self.first.address})
        wanted = [
            NewTopic(topic.name(settings.topic_prefix), 4, replica_assignment=[[2]] * 4, config=topic.config())
            for topic in ALL_TOPICS
        ]
        for done in admin.create_topics(wanted).values():
            done.result()

    def leaders(self, settings: ConnectionSettings) -> set[int]:
        """Who leads the partitions of all topics; -1 for nobody."""
        known = AdminClient({"bootstrap.servers": self.first.address}).list_topics(timeout=20).topics
        names = [topic.name(settings.topic_prefix) for topic in ALL_TOPICS]
        return {part.leader for name in names for part in known[name].partitions.values()}


@contextmanager
def two_brokers() -> Iterator[TwoBrokers]:
    """Run both for the length of the block."""
    with own_kafka() as first, stack_folder() as root:
        _make_internal_topics(first.address)  # while there is no other broker to hold them
        folder = StackFolder(root)
        folder.prepare()
        second = _second(first, folder)
        try:
            second.start()
            yield TwoBrokers(first, second)
        finally:
            second.stop(Signals.SIGKILL)


def _make_internal_topics(address: str) -> None:
    consumer = Consumer({"bootstrap.servers": address, "group.id": "first"})
    consumer.list_topics(timeout=20)
    consumer.subscribe(["none"])
    consumer.poll(5)
    consumer.close()
    Producer({"bootstrap.servers": address, "transactional.id": "first"}).init_transactions(30)


def _second(first: Server, folder: StackFolder) -> Server:
    """Join the first one's cluster: its id, its controller, another number."""
    lines = (first.folder / "kafka" / "data" / "meta.properties").read_text().splitlines()
    cluster = next(line for line in lines if line.startswith("cluster.id="))
    data = folder.kafka / "data"
    data.mkdir(parents=True)
    (data / "meta.properties").write_text(f"version=1\n{cluster}\nnode.id=2\n")
    ports = settle_ports(folder.ports_file)
    service = kafka_service(folder, default_cache_dir(), ports, lambda _progress: None)
    properties = folder.kafka / "server.properties"
    properties.write_text(_as_broker_alone(properties.read_text(), ports, _controller(first)))
    return Server(service, f"{LOOPBACK}:{ports.kafka}", folder.root)


def _controller(first: Server) -> int:
    return settle_ports(StackFolder(first.folder).ports_file).controller


def _as_broker_alone(properties: str, ports: Ports, controller: int) -> str:
    for own, other in (
        ("process.roles=broker,controller", "process.roles=broker"),
        ("node.id=1", "node.id=2"),
        (f"1@{LOOPBACK}:{ports.controller}", f"1@{LOOPBACK}:{controller}"),
        (f",CONTROLLER://{LOOPBACK}:{ports.controller}", ""),
    ):
        assert own in properties
        properties = properties.replace(own, other)
    return properties
