"""What the supervisor needs to know of a process, and how it is judged ready."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def always_ready() -> bool:
    """Say yes: for a process that is healthy as long as it lives."""
    return True


def never_unwell() -> None:
    """Find nothing wrong: for a process that is well as long as it is ready."""


@dataclass(frozen=True, slots=True)
class Service:
    """One process to keep running.

    Args:
        name: unique within the stack; names the log file too.
        command: program and arguments.
        env: variables beside the inherited ones.
        ready: whether it answers now; called from another thread, bounded within a few seconds.
        unwell: says what is wrong with it, None where nothing is; called from another thread, bounded within seconds.
        vitals: URL below which it serves /healthz and /metrics; None where it does not.
        stop_signal: asks it to end by itself.
        death_signal: what the kernel sends it when the supervisor is killed.
        grace_seconds: how long it may take to end before it is killed.
        settle_seconds: how long it must live before it is asked.
        ready_seconds: how long it may take to answer at its start.
        max_early_exits: ends before it was ever ready that are forgiven (restarted) before the start counts as failed.
        user: system user to become, None to stay who we are.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] = always_ready
    unwell: Callable[[], str | None] = never_unwell
    vitals: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    grace_seconds: float = 15.0
    settle_seconds: float = 0.0
    ready_seconds: float = 60.0
    max_early_exits: int = 3
    user: str | None = None
