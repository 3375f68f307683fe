"""Send scoring jobs after their rows are committed, mark them after the broker has acknowledged them.

A job may be sent twice, when the relay dies between the two; workers and the sink tell repeats by the job's id.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import psycopg
import structlog
from confluent_kafka import Producer

from runledger.schemas.topics import SCORING_JOBS
from runledger.sinks.dead_letters import Deliveries, make_producer
from runledger.sinks.errors import DeliveryError
from runledger.sinks.settings import SinkSettings
from runledger.sinks.sqlstate import decide_error, reason_of
from runledger.sinks.statements import statement
from runledger.sinks.stopping import stop_on_signals
from runledger.sinks.vital_signs import SinkSigns
from runledger.sinks.writer import OutboxJob, Writer
from runledger.vitals import count, put, watch
from runledger.vitals.metrics import OUTBOX_AGE, RECORDS_WRITTEN

_log = structlog.get_logger()


def run_relay(settings: SinkSettings) -> None:
    """Send scoring jobs until SIGTERM or SIGINT.

    Raises:
        psycopg.Error: the database is in a state that waiting does not mend.
    """
    relay(settings, stop_on_signals())


def relay(settings: SinkSettings, stopping: threading.Event) -> None:
    """Send scoring jobs until `stopping` is set; see `run_relay`."""
    outbox = OutboxRelay(settings, make_producer(settings), stopping)
    pause_seconds = settings.retry_seconds
    signs = SinkSigns("relay loop")
    watch(signs)
    try:
        while not stopping.is_set():
            try:
                # Not only where nothing is left to send: it matters most while jobs wait or the broker refuses them.
                outbox.measure()
                while not stopping.is_set() and outbox.relay_once():
                    signs.beat()
                    outbox.measure()
                signs.beat()
                signs.back()
                pause_seconds = settings.retry_seconds
                outbox.wait(stopping)
            except psycopg.Error as error:
                outbox.close()
                if decide_error(error) != "retry":
                    raise
                signs.away("database_away", reason_of(error))
                _log.warning("database_away", reason=reason_of(error), retry_in_seconds=pause_seconds)
                stopping.wait(pause_seconds)
                pause_seconds = min(2 * pause_seconds, settings.retry_limit_seconds)
            except DeliveryError as error:
                signs.away("jobs_not_delivered", str(error))
                _log.warning("jobs_not_delivered", error=str(error), retry_in_seconds=pause_seconds)
                stopping.wait(pause_seconds)
                pause_seconds = min(2 * pause_seconds, settings.retry_limit_seconds)
    finally:
        outbox.close()


class OutboxRelay:
    """Moves jobs from the outbox to the topic scoring-jobs. Several may run; each takes what no other has claimed.

    Args:
        settings: addresses, sizes and patience.
        producer: of `make_producer`.
        stopping: set when the process is to end; a wait for the broker is short then.
    """

    def __init__(self, settings: SinkSettings, producer: Producer, stopping: threading.Event | None = None) -> None:
        self._stopping = stopping
        self._settings = settings
        self._producer = producer
        self._topic = SCORING_JOBS.name(settings.topic_prefix)
        # The claim stays open while the broker answers.
        self._writer = Writer(settings, idle_seconds=settings.delivery_timeout_seconds + 15)
        self._listener: psycopg.Connection | None = None

    def relay_once(self) -> int:
        """Send one batch of jobs and mark them.

        Returns:
            How many were sent; 0 when nothing was left that no other relay had claimed.

        Raises:
            DeliveryError: the broker did not acknowledge them all; none is marked, all are sent again.
            psycopg.Error: the database refused.
        """
        if "outbox" in self._settings.unsafe_disable:
            return self._relay_carelessly()
        with self._writer.claimed_jobs(self._settings.relay_batch_jobs) as jobs:
            if jobs:
                self.send(jobs)
                self._writer.mark_sent(jobs)
        if jobs:
            count(RECORDS_WRITTEN, len(jobs), SCORING_JOBS.suffix)
            _log.debug("jobs_sent", jobs=len(jobs))
        return len(jobs)

    def _relay_carelessly(self) -> int:
        """Mark first and send afterwards: what a test switches on to see jobs lost."""
        with self._writer.claimed_jobs(self._settings.relay_batch_jobs) as jobs:
            self._writer.mark_sent(jobs)
        self.send(jobs)
        return len(jobs)

    def send(self, jobs: Sequence[OutboxJob]) -> None:
        """Send jobs and wait for the acknowledgement of each.

        Raises:
            DeliveryError: not all were acknowledged.
        """
        deliveries = Deliveries(self._producer, self._settings.delivery_timeout_seconds)
        for job in jobs:
            deliveries.send(self._topic, job.key, job.value)
        deliveries.confirm(self._stopping)

    def wait(self, stopping: threading.Event) -> None:
        """Wait until the writer tells of new jobs, or for the poll interval: a notification may get lost.

        Raises:
            psycopg.Error: the connection was lost.
        """
        if self._listener is None:
            self._listener = psycopg.connect(self._settings.postgres, autocommit=True, connect_timeout=10)
            self._listener.execute(statement("listen_outbox"))
            return  # what was written before we listened has to be looked for
        left_seconds = self._settings.relay_poll_seconds
        while left_seconds > 0 and not stopping.is_set():
            slice_seconds = min(left_seconds, 0.5)
            if list(self._listener.notifies(timeout=slice_seconds, stop_after=1)):
                return
            left_seconds -= slice_seconds

    def measure(self) -> None:
        """Find out how old the oldest job is that waits: there is one if another relay has claimed it.

        Raises:
            psycopg.Error: the connection was lost.
        """
        put(OUTBOX_AGE, self._writer.outbox_age_seconds())

    def close(self) -> None:
        """Close the connections; jobs that were claimed and not marked are free again."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
        self._writer.close()
