"""The client by which agents tell about their runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from os import PathLike
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from runledger.producers import calls
from runledger.producers.calls import Call
from runledger.producers.connecting import client_settings, open_publisher
from runledger.producers.deliveries import OnDelivered
from runledger.producers.open_run import OpenRun, current, enclosing
from runledger.producers.run import Run
from runledger.producers.settings import ProducerSettings
from runledger.producers.stats import Stats
from runledger.producers.tellings import Tellable
from runledger.producers.tracking import track_function

P = ParamSpec("P")
AnswerT = TypeVar("AnswerT")
ResultT = TypeVar("ResultT")


def _telling(
    describe: Callable[Concatenate[ProducerSettings, P], Call[AnswerT]],
) -> Callable[Concatenate[RunClient, P], AnswerT]:
    """Make a method of the description of a call."""

    @wraps(describe)
    def tell(self: RunClient, /, *args: P.args, **kwargs: P.kwargs) -> AnswerT:
        call = describe(self._settings, *args, **kwargs)
        self._publisher.publish(call.event, call.on_delivered)
        return call.answer

    return tell


def _starting(
    describe: Callable[Concatenate[ProducerSettings, P], Call[OpenRun]],
) -> Callable[Concatenate[RunClient, P], Run]:
    """Make a method that starts a run and gives its handle."""

    @wraps(describe)
    def start(self: RunClient, /, *args: P.args, **kwargs: P.kwargs) -> Run:
        return Run(self, self.tell(describe(self.settings, *args, **kwargs)))

    return start


def _enclosing(
    describe: Callable[Concatenate[ProducerSettings, P], Call[OpenRun]],
) -> Callable[Concatenate[RunClient, P], AbstractContextManager[Run]]:
    """Make a method that starts a run and ends it with a block."""

    @wraps(describe)
    def run(self: RunClient, /, *args: P.args, **kwargs: P.kwargs) -> AbstractContextManager[Run]:
        return self._block(lambda: describe(self.settings, *args, **kwargs))

    run.__doc__ = """Start a run, and end it with the block: completed, or as the exception says that leaves it.

        An Exception is recorded as a failure and ends the run failed; KeyboardInterrupt, SystemExit and a cancelled
        task end it interrupted. The exception goes on. A run started inside the block, in the same
        thread or task, is its child.
        """
    return run


class RunClient:
    """Tell Runledger what agents do. Safe to share between threads and to inherit by fork; close it when done.

    Calls queue events and return at once: no matter whether Kafka is there, they neither wait nor raise. What cannot be
    delivered goes to the spool file, or is dropped, counted by `stats` and logged. `flush` waits for the
    acknowledgements, and raises for what has none.
    Every call takes `event_id` (an idempotency key: repeated, it counts once) and `occurred_at` (an aware time, now if
    left out). Every call may raise InvalidEventError (naming the argument) and ClosedError: those are the caller's.

    Args:
        url: where to send: `kafka://host:port`, `host:port` (Kafka too), `https://host` or `http://host` (the HTTP
            gateway); RUNLEDGER_URL, else RUNLEDGER_KAFKA, if left out.
        api_key: the key for the gateway; RUNLEDGER_API_KEY if left out.
        spool: a file for events that cannot be delivered now; they are sent later, also by a later process;
            RUNLEDGER_SPOOL if left out.
        strict: calls wait in front of a full queue and then raise QueueFullError, and closing raises DeliveryError.
        kafka: bootstrap servers, instead of a url.
        topic_prefix: prefix of the topics; RUNLEDGER_TOPIC_PREFIX if left out.
        mask: own patterns by name, on top of RUNLEDGER_MASK_PATTERNS: `{"staff": "EMP-[0-9]{6}"}` puts
            `[masked:staff]` for what it matches. Keys, passwords, e-mail addresses and card numbers are masked anyway.
        settings: everything at once; the arguments above go before it.

    Raises:
        ConfigurationError: the address, the key, the spool or a mask pattern cannot be used.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        spool: str | PathLike[str] | None = None,
        strict: bool | None = None,
        kafka: str | None = None,
        topic_prefix: str | None = None,
        mask: Mapping[str, str] | None = None,
        settings: ProducerSettings | None = None,
    ) -> None:
        self._settings = client_settings(
            url,
            api_key=api_key,
            spool=spool,
            strict=strict,
            kafka=kafka,
            topic_prefix=topic_prefix,
            mask=mask,
            settings=settings,
        )
        self._publisher = open_publisher(self._settings)

    @property
    def settings(self) -> ProducerSettings:
        """What the client works by."""
        return self._settings

    run = _enclosing(calls.start_run)
    start_run = _starting(calls.start_run)
    report_usage = _telling(calls.report_usage)
    end_run = _telling(calls.end_run)
    record_failure = _telling(calls.record_failure)
    heartbeat = _telling(calls.heartbeat)
    record_run = _telling(calls.record_run)
    log_run = _telling(calls.log_run)

    def track(
        self,
        project: str,
        agent: str,
        *,
        summary: str | None = None,
        meta: Mapping[str, Any] | None = None,
        task_id: str | None = None,
    ) -> Callable[[Callable[P, ResultT]], Callable[P, ResultT]]:
        """Make each call of the decorated function, plain or async, a run of its own, as `run` does with a block.

        What the function returns is returned. Inside it `current_run` gives the run.
        """

        def decorate(function: Callable[P, ResultT]) -> Callable[P, ResultT]:
            return track_function(
                function, lambda: self.run(project, agent, summary=summary, meta=meta, task_id=task_id)
            )

        return decorate

    def current_run(self) -> Run | None:
        """Give the innermost run around the caller, in this thread or task; None outside of any."""
        around = current()
        return None if around is None else Run(self, around)

    def publish(self, event: Tellable, on_delivered: OnDelivered | None = None) -> None:
        """Queue an event made elsewhere, as `Publisher.publish` does."""
        self._publisher.publish(event, on_delivered)

    def tell(self, call: Call[AnswerT]) -> AnswerT:
        """Publish what a call means and give its answer."""
        self._publisher.publish(call.event, call.on_delivered)
        return call.answer

    def flush(self, timeout_seconds: float = 10) -> None:
        """Wait until everything told so far is acknowledged, and the spool is empty.

        Raises:
            DeliveryError: some events failed, or were still pending when the time was up; it names them.
        """
        self._publisher.flush(timeout_seconds)

    def stats(self) -> Stats:
        """Count what became of everything this process told."""
        return self._publisher.stats()

    def close(self, timeout_seconds: float | None = None) -> None:
        """Flush and stop; `flush_timeout_seconds` of the settings if no time is given. Closing twice is harmless.

        What is pending then goes to the spool, if there is one, and is given up otherwise.

        Raises:
            DeliveryError: events were lost; only from a strict client. It is closed all the same.
        """
        self._publisher.close(self._settings.flush_timeout_seconds if timeout_seconds is None else timeout_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _block(self, describe: Callable[[], Call[OpenRun]]) -> Iterator[Run]:
        opened = self.tell(describe())
        run = Run(self, opened)
        with enclosing(opened):
            try:
                yield run
            except BaseException as error:
                run.end_by(error)
                raise
            if not run.ended:
                run.end()
