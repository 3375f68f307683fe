"""What was seen of the database."""

from __future__ import annotations

from dataclasses import dataclass

from runledger.doctor.broker_facts import Refusal


@dataclass(frozen=True, slots=True)
class Database:
    """The database server, or why it lets nobody in."""

    refusal: Refusal | None = None
    version: int = 0
    """Such as 180000."""
    user: str = ""
    name: str = ""
    in_recovery: bool = False
    read_only: bool = False
    encoding: str = "UTF8"
    unsafe: tuple[str, ...] = ()
    """Settings that let the server forget what it has committed."""
    ahead_seconds: float = 0
    """Its clock runs ahead of ours by that."""
    off_seconds: float = 0
    """The same is true to within that."""


@dataclass(frozen=True, slots=True)
class Connections:
    """How many connections are taken, of how many; limit names what limits."""

    taken: int
    most: int
    limit: str


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody's session at the database that hinders others.

    Args:
        pid: of the server's process.
        user: who.
        program: application_name.
        seconds: how long its transaction has lasted.
        state: as pg_stat_activity has it.
        blocked: how many others wait for its locks, and longer than is good.
    """

    pid: int
    user: str
    program: str
    seconds: float
    state: str
    blocked: int


@dataclass(frozen=True, slots=True)
class Sessions:
    """Sessions that last; `all_seen` is false where we may not see what others do."""

    long: tuple[Session, ...]
    all_seen: bool


@dataclass(frozen=True, slots=True)
class Tables:
    """Which migration the tables are of.

    Args:
        revision: None where there are no tables.
        newest: the one of this program.
        known: all that this program knows, in order.
        gone: tables that should be there and are not.
    """

    revision: str | None
    newest: str
    known: tuple[str, ...]
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Roles:
    """Roles that are missing, and what roles lack: (role, what it may not do, SQL that allows it)."""

    missing: tuple[str, ...]
    lacking: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What readers find: why they cannot read, or how far the replica they read is behind."""

    refusal: Refusal | None = None
    command: str = ""
    replica: bool = False
    behind_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Outbox:
    """Scoring jobs that wait to be sent."""

    jobs: int
    oldest_seconds: float | None


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Posts to webhooks that are due and not made, and those given up during the last day."""

    overdue: int
    overdue_seconds: float | None
    given_up: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Projects:
    """Projects of the database, and the API key of this environment.

    Args:
        known: their keys.
        wanted: the one that was asked for; None where none was.
        living_keys: of that project; None where that is not known.
        own_key: what is wrong with RUNLEDGER_API_KEY; empty where nothing is, None where it is not set.
    """

    known: tuple[str, ...]
    wanted: str | None = None
    living_keys: int | None = None
    own_key: str | None = None
