"""The supervisor's book-keeping: the state file follows what happens."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import structlog

from runledger.stack.addresses import Addresses
from runledger.stack.errors import ServerFailedError, StackError
from runledger.stack.identity import ProcessIdentity
from runledger.stack.state import ServiceState, StackState, write_state

_log = structlog.get_logger()


class StateBook:
    """Writes every change to the state file.

    Args:
        path: the state file.
        topic_prefix: prefix of the stack's topics.

    Raises:
        StackError: the first state cannot be written.
    """

    def __init__(self, path: Path, topic_prefix: str) -> None:
        self._path = path
        self._state = StackState(supervisor=_ourselves(), topic_prefix=topic_prefix)
        write_state(path, self._state)

    def step(self, step: str) -> None:
        """Say what is being done now."""
        self._change(step=step)

    def services(self, services: tuple[ServiceState, ...]) -> None:
        """Take the services' states."""
        self._change(services=services)

    def addresses(self, addresses: Addresses) -> None:
        """Say where the servers answer."""
        self._change(**asdict(addresses))

    def running(self) -> None:
        """Say that everything is up."""
        self._change(phase="running", step="")

    def stopping(self) -> None:
        """Say that everything is being stopped."""
        self._change(phase="stopping", step="Stopping")

    def ended(self, failure: BaseException | None) -> None:
        """Say that nothing runs any more, and why if it was not asked for."""
        if failure is None:
            self._change(phase="stopped", step="")
            return
        tail = ""
        match failure:
            case ServerFailedError():
                text, tail = failure.message, failure.log_tail
            case StackError():
                text = str(failure)
            case _:
                text = f"{type(failure).__name__}: {failure}"
        _log.error("stack_failed", reason=text)
        self._change(phase="failed", step="", error=text, log_tail=tail)

    def _change(self, **changes: Any) -> None:  # noqa: ANN401 - fields of the state, each method names its own
        self._state = self._state.model_copy(update=changes)
        try:
            write_state(self._path, self._state)
        except StackError as error:
            # A full disk must not end the supervisor: the processes would be left alone.
            _log.warning("state_not_written", reason=str(error))


def _ourselves() -> ProcessIdentity:
    identity = ProcessIdentity.of(os.getpid())
    if identity is None:
        raise StackError("this process cannot be seen in the process table; mount /proc")
    return identity
