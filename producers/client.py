"""The client by which agents tell about their runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Any, Self, Unpack
from uuid import UUID

from runledger.producers.building import UsageFields, build, one_event_run, token_usage
from runledger.producers.deliveries import OnDelivered
from runledger.producers.publisher import Publisher
from runledger.producers.run import Run
from runledger.producers.settings import ProducerSettings
from runledger.schemas.identifiers import new_run_id
from runledger.schemas.run_events import (
    AnyRunEvent,
    EndStatus,
    FailureRecorded,
    LogStatus,
    RunEnded,
    RunHeartbeat,
    RunLogged,
    RunRecorded,
    RunStarted,
    UsageReported,
)


class RunClient:
    """Tell Runledger what agents do. Safe to share between threads; make it after forking, close it when done.

    Calls queue events and return; `flush` and `close` wait for the broker and raise for what it has not acknowledged.
    Every call takes `event_id` (an idempotency key: repeated, it counts once) and `occurred_at` (an aware time, now if
    left out). Every call may raise InvalidEventError (naming the argument), QueueFullError and ClosedError.

    Args:
        kafka: bootstrap servers; RUNLEDGER_KAFKA if left out.
        topic_prefix: prefix of the topics; RUNLEDGER_TOPIC_PREFIX if left out.
        settings: everything at once, instead of the two above.
    """

    def __init__(
        self,
        *,
        kafka: str | None = None,
        topic_prefix: str | None = None,
        settings: ProducerSettings | None = None,
    ) -> None:
        given = {"kafka": kafka, "topic_prefix": topic_prefix}
        self._settings = (settings or ProducerSettings()).model_copy(
            update={name: value for name, value in given.items() if value is not None}
        )
        self._publisher = Publisher(self._settings)

    @contextmanager
    def run(
        self,
        project: str,
        agent: str,
        *,
        summary: str | None = None,
        meta: Mapping[str, Any] | None = None,
        run_id: UUID | str | None = None,
        parent_run_id: UUID | str | None = None,
        task_id: str | None = None,
        event_id: str | None = None,
        occurred_at: datetime | None = None,
    ) -> Iterator[Run]:
        """Start a run, and end it with the block: completed, or as the exception says that leaves it.

        An Exception is recorded as a failure and ends the run failed; KeyboardInterrupt, SystemExit and a cancelled
        task end it interrupted. The exception goes on.
        """
        run = self.start_run(
            project,
            agent,
            summary=summary,
            meta=meta,
            run_id=run_id,
            parent_run_id=parent_run_id,
            task_id=task_id,
            event_id=event_id,
            occurred_at=occurred_at,
        )
        try:
            yield run
        except BaseException as error:
            run.end_by(error)
            raise
        if not run.ended:
            run.end()

    def start_run(
        self,
        project: str,
        agent: str,
        *,
        summary: str | None = None,
        meta: Mapping[str, Any] | None = None,
        run_id: UUID | str | None = None,
        parent_run_id: UUID | str | None = None,
        task_id: str | None = None,
        event_id: str | None = None,
        occurred_at: datetime | None = None,
    ) -> Run:
        """Start a run that the caller ends with `Run.end` or `end_run`."""
        started = build(
            RunStarted,
            {"summary": summary, "meta": meta, "parent_run_id": parent_run_id, "task_id": task_id},
            project=project,
            run_id=new_run_id() if run_id is None else run_id,
            agent=agent,
            event_id=event_id,
            occurred_at=occurred_at,
        )
        self.publish(started)
        return Run(self, started.project_key, started.agent_id or agent, started.run_id)

    def report_usage(
        self,
        project: str,
        run_id: UUID | str,
        *,
        agent: str | None = None,
        traces: Sequence[Mapping[str, Any]] = (),
        event_id: str | None = None,
        occurred_at: datetime | None = None,
        **usage: Unpack[UsageFields],
    ) -> str:
        """Report token usage; reports of one run add up. Return the event's id."""
        data = {"token_usage": token_usage(usage) or {}, "traces": list(traces)}
        return self._publish(
            build(
                UsageReported,
                data,
                project=project,
                run_id=run_id,
                agent=agent,
                event_id=event_id,
                occurred_at=occurred_at,
            )
        )

    def end_run(
        self,
        project: str,
        run_id: UUID | str,
        status: EndStatus = "completed",
        *,
        agent: str | None = None,
        summary: str | None = None,
        meta: Mapping[str, Any] | None = None,
        traces: Sequence[Mapping[str, Any]] = (),
        event_id: str | None = None,
        occurred_at: datetime | None = None,
        **usage: Unpack[UsageFields],
    ) -> str:
        """End a run; usage given here is its final, absolute usage. Return the event's id."""
        data = {
            "status": status,
            "summary": summary,
            "meta": meta,
            "token_usage": token_usage(usage),
            "traces": list(traces),
        }
        return self._publish(
            build(
                RunEnded, data, project=project, run_id=run_id, agent=agent, event_id=event_id, occurred_at=occurred_at
            )
        )

    def record_failure(
        self,
        project: str,
        summary: str,
        *,
        run_id: UUID | str | None = None,
        agent: str | None = None,
        error: str | None = None,
        context: Mapping[str, Any] | None = None,
        task_id: str | None = None,
        meta: Mapping[str, Any] | None = None,
        event_id: str | None = None,
        occurred_at: datetime | None = None,
    ) -> str:
        """Record a failure, of a run or (run_id None) of none. Return the event's id."""
        data = {
            "summary": summary,
            "error": error,
            "context": context,
            "task_id": task_id,
            "meta": meta,
            "detached": run_id is None,
        }
        return self._publish(
            build(
                FailureRecorded,
                data,
                project=project,
                run_id=one_event_run(project, run_id, event_id),
                agent=agent,
                event_id=event_id,
                occurred_at=occurred_at,
            )
        )

    def heartbeat(
        self,
        project: str,
        run_id: UUID | str,
        *,
        agent: str | None = None,
        event_id: str | None = None,
        occurred_at: datetime | None = None,
    ) -> str:
        """Show that a long run is alive. Return the event's id."""
        return self._publish(
            build(
                RunHeartbeat,
                {},
                project=project,
                run_id=run_id,
                agent=agent,
                event_id=event_id,
                occurred_at=occurred_at,
            )
        )

    def record_run(
        self,
        project: str,
        agent: str,
        summary: str,
        *,
        ticket: str | None = None,
        meta: Mapping[str, Any] | None = None,
        run_id: UUID | str | None = None,
        event_id: str | None = None,
        occurred_at: datetime | None = None,
    ) -> UUID:
        """Record a whole run in one call. Return its run id, which an event_id fixes too."""
        recorded = build(
            RunRecorded,
            {"summary": summary, "ticket": ticket, "meta": meta},
            project=project,
            run_id=one_event_run(project, run_id, event_id),
            agent=agent,
            event_id=event_id,
            occurred_at=occurred_at,
        )
        self.publish(recorded)
        return recorded.run_id

    def log_run(
        self,
        agent: str,
        status: LogStatus,
        actions_taken: Mapping[str, Any] | None = None,
        *,
        project: str | None = None,
        run_id: UUID | str | None = None,
        event_id: str | None = None,
        occurred_at: datetime | None = None,
        on_delivered: OnDelivered | None = None,
    ) -> UUID:
        """Log what an agent did in one cycle (Agent Run Log). Return its run id, which an event_id fixes too.

        Args:
            agent: who.
            status: success, partial or failed.
            actions_taken: what was done; its `summary` is shown.
            project: RUNLEDGER_PROJECT if left out.
            run_id: chosen here if left out.
            event_id: idempotency key.
            occurred_at: when the cycle ended.
            on_delivered: as `Publisher.publish` takes it.
        """
        project = self._settings.project if project is None else project
        logged = build(
            RunLogged,
            {"status": status, "actions_taken": actions_taken},
            project=project,
            run_id=one_event_run(project, run_id, event_id),
            agent=agent,
            event_id=event_id,
            occurred_at=occurred_at,
        )
        self.publish(logged, on_delivered)
        return logged.run_id

    def publish(self, event: AnyRunEvent, on_delivered: OnDelivered | None = None) -> None:
        """Queue an event made elsewhere, as `Publisher.publish` does."""
        self._publisher.publish(event, on_delivered)

    def flush(self, timeout_seconds: float = 10) -> None:
        """Wait until the broker has acknowledged everything told so far.

        Raises:
            DeliveryError: some events failed, or were still pending when the time was up; it names them.
        """
        self._publisher.flush(timeout_seconds)

    def close(self, timeout_seconds: float | None = None) -> None:
        """Flush and stop; `flush_timeout_seconds` of the settings if no time is given. Closing twice is harmless.

        Raises:
            DeliveryError: as `flush` does; the client is closed all the same.
        """
        self._publisher.close(self._settings.flush_timeout_seconds if timeout_seconds is None else timeout_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _publish(self, event: AnyRunEvent) -> str:
        self.publish(event)
        return event.event_id
