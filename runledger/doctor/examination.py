"""One examination: everybody looks at once, within a time; then the checks judge what was seen."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from runledger.analytics.settings import ReadSettings
from runledger.doctor.checks import CHECKS
from runledger.doctor.facts import NO_ANSWER, OF_BROKER, OF_DATABASE, Facts, Unseen
from runledger.doctor.findings import Finding
from runledger.doctor.seeing.box import see_letters
from runledger.doctor.seeing.broker import BrokerEye
from runledger.doctor.seeing.database import DatabaseEye, see_reading
from runledger.doctor.seeing.kafka import Clock
from runledger.doctor.seeing.machine import see_doors, see_machine
from runledger.doctor.seeing.postgres import first_line
from runledger.schemas.settings import ConnectionSettings

DEFAULT_SECONDS = 15.0
DEFAULT_PATIENCE_SECONDS = 60.0
_FIRST_LOOK = 0.75
"""Share of the time for what can be seen at once; the rest is for what is compared with it."""
_NOWHERE = Unseen("nobody says where it is, see servers")
_UNREADABLE = Unseen("settings cannot be read, see above")
_PREFIX = "RUNLEDGER_"


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found, in the order of the checks.

    Args:
        findings: at least one of each check that concerns this set-up.
        kafka: bootstrap servers that were looked at; None where none are known.
        topic_prefix: of the topics that were looked at.
        seconds: how long it took.
        is_done: whether everybody has looked; else some still wait for an answer, in threads that nobody can end.
    """

    findings: tuple[Finding, ...]
    kafka: str | None
    topic_prefix: str | None
    seconds: float
    is_done: bool


def examine(
    environ: Mapping[str, str],
    data_dir: Path | None = None,
    *,
    project: str | None = None,
    seconds: float = DEFAULT_SECONDS,
    patience_seconds: float = DEFAULT_PATIENCE_SECONDS,
) -> Examination:
    """Look at everything and judge it; nothing is changed anywhere.

    Args:
        environ: this process's environment, from which settings are read.
        data_dir: the local stack's data folder; the user's own if left out.
        project: one to look at more closely.
        seconds: after so many, what has not answered is unknown.
        patience_seconds: what waits for longer is stuck.
    """
    began = time.monotonic()
    facts = Facts(datetime.now(UTC), patience_seconds)
    state = see_machine(facts, data_dir, environ)
    eyes = [_start(facts, ("doors",), lambda: see_doors(facts, environ, state))]
    servers = facts.servers
    connection = None if isinstance(servers, Unseen) else servers.connection
    if connection is None or isinstance(servers, Unseen):
        _miss(facts, _UNREADABLE, "kafka", "postgres")
        _wait(eyes, seconds)
    else:
        missing = {name.removeprefix(_PREFIX).lower() for name in servers.missing}
        _miss(facts, _NOWHERE, *missing)
        _look(facts, connection, missing, eyes, _Wishes(environ, project, seconds))
    seen = copy.copy(facts)  # whoever is late may go on looking
    findings = tuple(finding for check in CHECKS for finding in check(seen))
    known = connection is not None and not isinstance(seen.cluster, Unseen)
    return Examination(
        findings,
        connection.kafka if connection is not None and known else None,
        None if connection is None else connection.topic_prefix,
        time.monotonic() - began,
        not any(eye.is_alive() for eye in eyes),
    )


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What whoever asks wants to know, and in which time."""

    environ: Mapping[str, str]
    project: str | None
    seconds: float


def _miss(facts: Facts, why: Unseen, *servers: str) -> None:
    if "kafka" in servers:
        facts.cluster = why
        facts.miss_broker(why)
    if "postgres" in servers:
        facts.database = why
        facts.miss_database(why)


def _look(
    facts: Facts, connection: ConnectionSettings, missing: set[str], eyes: list[threading.Thread], wishes: _Wishes
) -> None:
    """Look at both servers side by side; then at what is compared between them."""
    clock = Clock(wishes.seconds)
    broker = BrokerEye(connection, facts, clock)
    if "kafka" not in missing:
        eyes.append(_start(facts, OF_BROKER, broker.look))
    if "postgres" not in missing:
        eyes.append(_start(facts, OF_DATABASE, lambda: _look_at_database(facts, connection, wishes)))
    _wait(eyes, clock.left * _FIRST_LOOK)
    if broker.is_let_in:
        later = [
            _start(facts, ("readers", "broker_clock"), broker.look_again),
            _start(facts, ("letters",), lambda: see_letters(connection, facts)),
        ]
        _wait(later, clock.left)
        eyes += later


def _look_at_database(facts: Facts, connection: ConnectionSettings, wishes: _Wishes) -> None:
    DatabaseEye(connection.postgres, facts, connection.topic_prefix).look(wishes.project, wishes.environ)
    variable, uri = _reading(connection)
    is_in = not isinstance(facts.database, Unseen) and facts.database.refusal is None
    if is_in or uri != connection.postgres:
        see_reading(uri, variable, facts)


def _reading(connection: ConnectionSettings) -> tuple[str, str]:
    """Which variable says where readers read, and what it says."""
    elsewhere = ReadSettings().postgres_read
    if elsewhere is None:
        return "RUNLEDGER_POSTGRES", connection.postgres
    return "RUNLEDGER_POSTGRES_READ", elsewhere


def _start(facts: Facts, names: Iterable[str], look: Callable[[], None]) -> threading.Thread:
    """Let somebody look for these facts; what is never answered keeps nobody from ending."""

    def safely() -> None:
        try:
            look()
        except Exception as error:  # noqa: BLE001  # what is not seen is unknown, and the rest is told
            defect = Unseen(f"looking failed: {type(error).__name__}: {first_line(error)}", "report this as a defect")
            for name in names:
                if getattr(facts, name) is NO_ANSWER:
                    setattr(facts, name, defect)

    thread = threading.Thread(target=safely, daemon=True)
    thread.start()
    return thread


def _wait(eyes: list[threading.Thread], seconds: float) -> None:
    """Wait until all have looked, or the time is over."""
    end = time.monotonic() + seconds
    for eye in eyes:
        eye.join(max(0.0, end - time.monotonic()))
