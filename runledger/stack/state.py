"""What runs now, as the supervisor writes it and everybody else reads it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runledger.stack.addresses import Addresses
from runledger.stack.errors import StackError, explained_disk_errors
from runledger.stack.files import write_privately
from runledger.stack.identity import ProcessIdentity

Health: TypeAlias = Literal["starting", "healthy", "unhealthy", "backing_off", "stopped"]
Phase: TypeAlias = Literal["starting", "running", "stopping", "stopped", "failed"]


class ServiceState(BaseModel):
    """One process.

    Args:
        name: the service's name.
        process: None while it does not run.
        health: healthy = its probe answered last time; backing_off = it ended and will be started again.
        reason: what is wrong with it, as its last probe found.
        vitals: URL below which it serves /healthz and /metrics; None where it does not.
        restarts: times it was started again by this supervisor.
        started_at: of the present process.
        last_exit: exit code of the process before, negative for a signal.
        log: path of what it prints.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    process: ProcessIdentity | None = None
    health: Health = "starting"
    reason: str | None = None
    vitals: str | None = None
    restarts: int = 0
    started_at: datetime | None = None
    last_exit: int | None = None
    log: Path


class StackState(BaseModel):
    """The whole stack.

    Args:
        phase: where it stands; `failed` and `stopped` are final.
        step: one line on what is being done now.
        error: one line, why it failed.
        log_tail: last lines of the log of what failed.
        supervisor: the process that wrote this.
        kafka: bootstrap servers, from the moment they are known.
        postgres: connection URI, from the moment it is known.
        http: URL of the HTTP gateway, from the moment it is known; None where none is to run.
        mcp: URL of the MCP server, likewise.
        api: URL of the read API, likewise.
        dashboard: URL of the dashboard, likewise.
        topic_prefix: prefix of the stack's topics and consumer groups.
        services: in order of start.
    """

    model_config = ConfigDict(frozen=True)

    phase: Phase = "starting"
    step: str = ""
    error: str | None = None
    log_tail: str = ""
    supervisor: ProcessIdentity
    kafka: str | None = None
    postgres: str | None = Field(default=None, repr=False)
    http: str | None = None
    mcp: str | None = None
    api: str | None = None
    dashboard: str | None = None
    topic_prefix: str
    services: tuple[ServiceState, ...] = ()

    @property
    def addresses(self) -> Addresses | None:
        """Where the servers answer; None before that is known."""
        if self.kafka is None or self.postgres is None:
            return None
        return Addresses(
            kafka=self.kafka,
            postgres=self.postgres,
            http=self.http,
            mcp=self.mcp,
            api=self.api,
            dashboard=self.dashboard,
        )

    @property
    def is_healthy(self) -> bool:
        """Tell whether everything runs and answers."""
        return self.phase == "running" and all(service.health == "healthy" for service in self.services)

    def processes(self) -> tuple[ProcessIdentity, ...]:
        """Every process that may be alive, the supervisor last."""
        return (*(service.process for service in self.services if service.process), self.supervisor)


def read_state(path: Path) -> StackState | None:
    """Read the state file; None where no stack was ever started.

    Raises:
        StackError: the file is not what a supervisor writes.
    """
    try:
        return StackState.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise StackError(f"{path} is damaged; end the stack's processes by hand and remove it") from error


def write_state(path: Path, state: StackState) -> None:
    """Replace the state file."""
    with explained_disk_errors(path.parent):
        write_privately(path, state.model_dump_json(indent=2) + "\n")
