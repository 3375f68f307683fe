"""What was seen of this machine."""

from __future__ import annotations

from dataclasses import dataclass

from runledger.schemas.settings import ConnectionSettings


@dataclass(frozen=True, slots=True)
class Servers:
    """Which broker and database are meant.

    Args:
        connection: settings with their addresses; None where settings cannot be read.
        missing: variables of which nobody says what they are.
        folder: the local stack's data folder.
        local: whether a local stack runs there.
        trouble: why the local stack cannot be asked.
    """

    connection: ConnectionSettings | None
    missing: tuple[str, ...]
    folder: str
    local: bool
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """One process of the local stack."""

    name: str
    health: str
    restarts: int
    last_exit: int | None
    log: str


@dataclass(frozen=True, slots=True)
class Disk:
    """Room where the local stack keeps its data."""

    path: str
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Door:
    """An HTTP server of ours, and what it says to /healthz."""

    name: str
    url: str
    answers: bool


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of this process that concern us.

    Args:
        names: of every variable whose name begins as ours do.
        known: names that mean something.
        refused: (kind of process, what its settings say) of those that cannot be read.
        unsafe: switches of tests that are on, with their values.
        log_level: as given; None where it is not.
    """

    names: tuple[str, ...]
    known: frozenset[str]
    refused: tuple[tuple[str, str], ...]
    unsafe: tuple[str, ...]
    log_level: str | None = None


@dataclass(frozen=True, slots=True)
class Packages:
    """What is installed, and what the settings ask for that is not: (what for, what is missing, what to install)."""

    missing: tuple[tuple[str, str, str], ...]
    summary: str
