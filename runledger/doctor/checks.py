"""Every check: its name, what it is for, and which facts it judges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from runledger.doctor.facts import Facts, Unseen
from runledger.doctor.findings import Finding, unknown
from runledger.doctor.judging.broker import judge_broker, judge_broker_settings, judge_transactions
from runledger.doctor.judging.clocks import judge_broker_clock, judge_database_clock
from runledger.doctor.judging.database import (
    judge_connections,
    judge_database,
    judge_reading,
    judge_roles,
    judge_sessions,
    judge_tables,
    judge_writing,
)
from runledger.doctor.judging.ledger import judge_outbox, judge_projects, judge_watermark, judge_webhooks
from runledger.doctor.judging.machine import (
    judge_disk,
    judge_doors,
    judge_open_files,
    judge_packages,
    judge_servers,
    judge_services,
    judge_settings,
    judge_switches,
    judge_variables,
)
from runledger.doctor.judging.readers import (
    judge_letters,
    judge_sink_positions,
    judge_stage_positions,
    reader_judge,
)
from runledger.doctor.judging.topics import (
    judge_open_transactions,
    judge_partitions,
    judge_replicas,
    judge_topic_settings,
    judge_topics,
)

Area: TypeAlias = Literal["machine", "broker", "database", "ledger"]


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Args:
        name: as it is shown; never changes, as programs read it.
        area: what it is about.
        about: what it finds out, for the document.
        judge: makes findings of the facts.
        needs: names of the facts, in the order in which `judge` takes them.
    """

    name: str
    area: Area
    about: str
    judge: Callable[..., Iterable[Finding]]
    needs: tuple[str, ...]

    def __call__(self, facts: Facts) -> Iterator[Finding]:
        """Judge, or say why that cannot be done."""
        given = [getattr(facts, name) for name in self.needs]
        lost = next((fact for fact in given if isinstance(fact, Unseen)), None)
        found = self.judge(*given) if lost is None else [unknown(lost.why, lost.remedy, lost.command)]
        return (replace(one, check=self.name) for one in found)


_WAITING = ("readers", "now", "patience_seconds")

CHECKS: tuple[Check, ...] = (
    Check("servers", "machine", "it is known which broker and which database are meant", judge_servers, ("servers",)),
    Check(
        "settings",
        "machine",
        "every process can read its settings; none contradicts another",
        judge_settings,
        ("environment",),
    ),
    Check(
        "variables", "machine", "no variable is misspelt; the nearest one is named", judge_variables, ("environment",)
    ),
    Check("switches", "machine", "switches that are meant for tests are off", judge_switches, ("environment",)),
    Check("packages", "machine", "what the settings ask for is installed", judge_packages, ("packages",)),
    Check(
        "open files",
        "machine",
        "a process may open as many files as its connections take",
        judge_open_files,
        ("open_files", "servers"),
    ),
    Check("disk", "machine", "the local stack has room on its disk", judge_disk, ("disk",)),
    Check("stack", "machine", "every process of the local stack is healthy", judge_services, ("services",)),
    Check("doors", "machine", "gateway, MCP server and read API answer", judge_doors, ("doors",)),
    Check(
        "broker",
        "broker",
        "a broker lets us in: address, TLS and SASL are right, and the addresses it names can be reached",
        judge_broker,
        ("cluster", "servers"),
    ),
    Check(
        "transactions",
        "broker",
        "the broker's own topics for transactions and groups can be made and written",
        judge_transactions,
        ("cluster", "broker_settings", "internal_topics"),
    ),
    Check(
        "broker settings",
        "broker",
        "the broker allows our session and transaction time-outs, and makes no topics by itself",
        judge_broker_settings,
        ("broker_settings",),
    ),
    Check("topics", "broker", "every topic exists, and has an id", judge_topics, ("topics",)),
    Check(
        "partitions", "broker", "each has the number of partitions that is set", judge_partitions, ("topics", "servers")
    ),
    Check(
        "topic settings",
        "broker",
        "clean-up, log time, sizes, retention and copies in sync are as Runledger needs them",
        judge_topic_settings,
        ("topic_settings", "topics"),
    ),
    Check("replicas", "broker", "partitions have leaders and all their copies", judge_replicas, ("topics", "cluster")),
    Check(
        "open transactions",
        "broker",
        "no transaction hangs and hides what stands behind it",
        judge_open_transactions,
        ("open_since", "now", "patience_seconds"),
    ),
    Check("broker clock", "broker", "log time is this machine's time", judge_broker_clock, ("broker_clock", "now")),
    Check(
        "database",
        "database",
        "the database lets us in, and is of version 14 or newer",
        judge_database,
        ("database",),
    ),
    Check(
        "writing",
        "database",
        "it can be written, takes any text, and keeps what it has committed",
        judge_writing,
        ("database",),
    ),
    Check("tables", "database", "the tables are there, and of this version", judge_tables, ("tables",)),
    Check("roles", "database", "the group roles are there, with their rights", judge_roles, ("roles",)),
    Check("reading", "database", "readers may read; a standby keeps up", judge_reading, ("reading",)),
    Check("connections", "database", "connections are left", judge_connections, ("connections",)),
    Check(
        "sessions",
        "database",
        "nobody holds locks that others wait for, or a transaction for long",
        judge_sessions,
        ("sessions",),
    ),
    Check("database clock", "database", "the database's clock is this machine's", judge_database_clock, ("database",)),
    Check("processor", "ledger", "a processor runs, and keeps up", reader_judge("processor"), _WAITING),
    Check("sink", "ledger", "a sink runs, and keeps up", reader_judge("sink"), _WAITING),
    Check("scorer", "ledger", "a scorer runs, and keeps up", reader_judge("scorer"), _WAITING),
    Check(
        "processor positions",
        "ledger",
        "the processors' positions and states fit the topics: none was recreated, emptied or cut short",
        judge_stage_positions,
        ("stage_positions", "bounds", "topics"),
    ),
    Check(
        "sink positions",
        "ledger",
        "the sink's positions fit the topics likewise",
        judge_sink_positions,
        ("sink_positions", "bounds", "topics"),
    ),
    Check(
        "watermark",
        "ledger",
        "the watch runs, and all that is logged reaches the tables",
        judge_watermark,
        ("watermark",),
    ),
    Check("outbox", "ledger", "scoring jobs are sent", judge_outbox, ("outbox", "patience_seconds")),
    Check("dead letters", "ledger", "no refused record waits for a person", judge_letters, ("letters", "now")),
    Check("webhooks", "ledger", "incidents are posted in time", judge_webhooks, ("webhooks", "patience_seconds")),
    Check(
        "projects",
        "ledger",
        "the project is there; its keys and this environment's key work",
        judge_projects,
        ("projects",),
    ),
)
