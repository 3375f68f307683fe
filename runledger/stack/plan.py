"""What a stack shall consist of."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from runledger.schemas.settings import ConnectionSettings
from runledger.stack.addresses import Addresses
from runledger.stack.errors import StackError
from runledger.stack.health import KafkaView, answers_http
from runledger.stack.service import Service

_SETTLE_SECONDS = 2.0


class Plan(BaseModel):
    """The parts to run, and the outside servers to use instead of our own.

    Args:
        processors: number of processor processes.
        pipeline: False for Kafka and Postgres alone.
        durable: False for a database that need not survive the machine (tests).
        kafka: bootstrap servers of an outside broker; None to run one.
        postgres: URI of an outside database; None to run one.
        topic_prefix: prefix of topics and consumer groups.
        partitions: of each topic.
    """

    model_config = ConfigDict(frozen=True)

    processors: int = Field(default=1, ge=1, le=64)
    pipeline: bool = True
    durable: bool = True
    kafka: str | None = None
    postgres: str | None = Field(default=None, repr=False)
    topic_prefix: str
    partitions: int

    @classmethod
    def from_environment(cls, *, processors: int = 1, pipeline: bool = True, durable: bool = True) -> Plan:
        """Take outside servers, prefix and partitions from the RUNLEDGER_ variables, where they are set.

        Raises:
            StackError: they ask for TLS or SASL of a broker of the stack's own, which has neither.
        """
        settings = ConnectionSettings()
        chosen = settings.model_fields_set
        if "kafka" not in chosen and settings.kafka_security_protocol != "plaintext":
            raise StackError(
                "RUNLEDGER_KAFKA_SECURITY_PROTOCOL is set and RUNLEDGER_KAFKA is not: the stack's own broker speaks "
                "plaintext, on this machine alone; set RUNLEDGER_KAFKA to the broker you mean, or unset the protocol"
            )
        return cls(
            processors=processors,
            pipeline=pipeline,
            durable=durable,
            kafka=settings.kafka if "kafka" in chosen else None,
            postgres=settings.postgres if "postgres" in chosen else None,
            topic_prefix=settings.topic_prefix,
            partitions=settings.partitions,
        )

    def connection(self, addresses: Addresses) -> ConnectionSettings:
        """Settings for the stack's own servers."""
        return ConnectionSettings(
            kafka=addresses.kafka,
            postgres=addresses.postgres,
            topic_prefix=self.topic_prefix,
            partitions=self.partitions,
        )


def consumer_groups(topic_prefix: str) -> dict[str, str]:
    """Worker name to the consumer group it joins; the relay joins none, nor does the watch."""
    return {
        "processor": f"{topic_prefix}processors",
        "sink": f"{topic_prefix}sink",
        "scorer": f"{topic_prefix}scoring",
    }


def pipeline_services(plan: Plan, addresses: Addresses, link_secret: str) -> list[Service]:
    """Give the pipeline's processes: each a `runledger worker` of its own.

    Args:
        plan: what to run.
        addresses: where everything is.
        link_secret: lets whoever started the stack make links that log a browser in.
    """
    view = KafkaView(plan.connection(addresses))
    groups = consumer_groups(plan.topic_prefix)
    env = {
        **addresses.environment(),
        "RUNLEDGER_TOPIC_PREFIX": plan.topic_prefix,
        "RUNLEDGER_PARTITIONS": str(plan.partitions),
        "PYTHONUNBUFFERED": "1",
    }
    processors = [f"processor-{number}" for number in range(1, plan.processors + 1)]

    def worker(name: str, worker_name: str, members: int) -> Service:
        group = groups.get(worker_name)
        return Service(
            name=name,
            command=(sys.executable, "-m", "runledger", "worker", worker_name),
            env=env,
            ready=lambda: group is None or view.members(group) >= members,
            settle_seconds=_SETTLE_SECONDS,
        )

    if plan.postgres is None:
        # Our own database has no replica, whatever the caller's environment says of another's.
        env["RUNLEDGER_POSTGRES_READ"] = addresses.postgres
    return [
        *(worker(name, "processor", plan.processors) for name in processors),
        *(worker(name, name, 1) for name in ("sink", "relay", "scorer", "watch")),
        *([] if addresses.http is None else [_door("gateway", "RUNLEDGER_HTTP", env, addresses.http)]),
        *([] if addresses.mcp is None else [_door("mcp", "RUNLEDGER_MCP", env, addresses.mcp)]),
        *([] if addresses.api is None else [_door("api", "RUNLEDGER_API", env, addresses.api)]),
        *([] if addresses.dashboard is None else [_dashboard(env, addresses.dashboard, link_secret)]),
    ]


def _dashboard(env: Mapping[str, str], url: str, link_secret: str) -> Service:
    return _door("dashboard", "RUNLEDGER_DASHBOARD", {**env, "RUNLEDGER_DASHBOARD_LINK_SECRET": link_secret}, url)


def _door(worker_name: str, variables: str, env: Mapping[str, str], url: str) -> Service:
    address = urlsplit(url)
    host, port = str(address.hostname), int(address.port or 0)
    return Service(
        name=worker_name,
        command=(sys.executable, "-m", "runledger", "worker", worker_name),
        env={**env, f"{variables}_HOST": host, f"{variables}_PORT": str(port)},
        ready=lambda: answers_http(host, port, "/healthz"),
    )
