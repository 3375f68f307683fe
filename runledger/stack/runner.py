"""Run one stack in this process until it is asked to stop."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

from runledger.schemas.kafka_security import KafkaSettings
from runledger.stack.addresses import Addresses
from runledger.stack.artifacts import Report
from runledger.stack.book import StateBook
from runledger.stack.errors import ServerFailedError
from runledger.stack.health import KafkaView
from runledger.stack.kafka import kafka_service
from runledger.stack.leftovers import end_processes
from runledger.stack.link_secret import settle_link_secret
from runledger.stack.lock import held
from runledger.stack.paths import StackFolder
from runledger.stack.plan import Plan, pipeline_services
from runledger.stack.ports import LOOPBACK, Ports, require_free, settle_ports
from runledger.stack.postgres import postgres_answers, postgres_service, postgres_uri
from runledger.stack.service import Service
from runledger.stack.state import read_state
from runledger.stack.supervisor import StopRequestedError, Supervisor
from runledger.stack.vitals import settle_vitals_ports, with_vitals

_LEFTOVER_SECONDS = 15.0


@dataclass(slots=True)
class _Stop:
    """Set by a signal; looked at between steps, so that nothing is left half done."""

    requested: bool = False

    def request(self, number: int, frame: FrameType | None) -> None:
        self.requested = True


def run_stack(folder: StackFolder, cache: Path, plan: Plan, abandoned: Callable[[], bool] = lambda: False) -> None:
    """Start everything, keep it running, and stop it all on SIGTERM, SIGINT or when abandoned.

    Args:
        folder: data folder; locked for as long as this runs.
        cache: where the jars lie.
        plan: what to run.
        abandoned: asked often; true when whoever wanted the stack is gone.

    Raises:
        AlreadyRunningError: another supervisor holds the folder; nothing was done.
        StackError: it could not be started; everything was stopped again and the state file says why.
    """
    folder.prepare()
    with held(folder.lock_file), _stop_signals() as stop:
        if (earlier := read_state(folder.state_file)) is not None:
            end_processes(earlier.processes(), _LEFTOVER_SECONDS)
        book = StateBook(folder.state_file, plan.topic_prefix)
        supervisor = Supervisor(folder.logs, book.services, lambda: stop.requested or abandoned())

        def report(step: str) -> None:
            book.step(step)
            if stop.requested or abandoned():
                raise StopRequestedError

        failure: BaseException | None = None
        try:
            _start(folder, cache, plan, book, supervisor, report)
            supervisor.watch()
        except StopRequestedError:
            pass
        except BaseException as error:
            failure = error
            raise
        finally:
            book.stopping()
            supervisor.stop()
            book.ended(failure)


def _start(
    folder: StackFolder, cache: Path, plan: Plan, book: StateBook, supervisor: Supervisor, report: Report
) -> None:
    ports = settle_ports(folder.ports_file)
    _check(folder, plan, ports)
    servers: list[Service] = []
    if plan.postgres is None:
        servers.append(postgres_service(folder, ports, report, durable=plan.durable))
    if plan.kafka is None:
        servers.append(kafka_service(folder, cache, ports, report))
    addresses = Addresses(
        kafka=plan.kafka or f"{LOOPBACK}:{ports.kafka}",
        postgres=plan.postgres or postgres_uri(folder, ports),
        http=f"http://{LOOPBACK}:{ports.http}" if plan.pipeline else None,
        mcp=f"http://{LOOPBACK}:{ports.mcp}/mcp" if plan.pipeline else None,
        api=f"http://{LOOPBACK}:{ports.api}" if plan.pipeline else None,
        dashboard=f"http://{LOOPBACK}:{ports.dashboard}" if plan.pipeline else None,
    )
    report(f"Starting {' and '.join(server.name for server in servers) or 'with outside servers'}")
    supervisor.start(servers)
    book.addresses(addresses)
    if plan.pipeline:
        report("Creating topics and tables")
        _prepare(plan, addresses)
        report("Starting the pipeline")
        workers = pipeline_services(plan, addresses, settle_link_secret(folder.link_secret_file))
        vitals = settle_vitals_ports(folder.vitals_ports_file, [it.name for it in workers], asdict(ports).values())
        supervisor.start(with_vitals(workers, vitals))
    book.running()


def _check(folder: StackFolder, plan: Plan, ports: Ports) -> None:
    # All that can be known at once is said before anything is fetched or created.
    if plan.postgres is None:
        require_free(ports.postgres, "Postgres", folder.ports_file)
    elif not postgres_answers(plan.postgres):
        raise ServerFailedError("the database that RUNLEDGER_POSTGRES names does not answer; start it, or unset that")
    if plan.kafka is None:
        require_free(ports.kafka, "Kafka", folder.ports_file)
        require_free(ports.controller, "Kafka's controller", folder.ports_file)
    elif not (view := KafkaView(KafkaSettings(kafka=plan.kafka))).answers():
        why = view.refusal()
        raise ServerFailedError(f"the broker that RUNLEDGER_KAFKA names does not answer{why}; start it, or unset that")
    if plan.pipeline:
        require_free(ports.http, "the HTTP gateway", folder.ports_file)
        require_free(ports.mcp, "the MCP server", folder.ports_file)
        require_free(ports.api, "the read API", folder.ports_file)
        require_free(ports.dashboard, "the dashboard", folder.ports_file)


def _prepare(plan: Plan, addresses: Addresses) -> None:
    # Imported here: Kafka and Postgres alone need none of it.
    import psycopg  # noqa: PLC0415 - see above

    from runledger.access.projects import publish_undecided  # noqa: PLC0415 - see above
    from runledger.sinks.errors import MigrationError  # noqa: PLC0415 - see above
    from runledger.sinks.migrate import migrate  # noqa: PLC0415 - see above
    from runledger.topic_admin import TopicError, ensure_topics  # noqa: PLC0415 - see above

    try:
        ensure_topics(plan.connection(addresses))
        migrate(addresses.postgres)
        if plan.postgres is None:
            # Whose machine this is, is the public; a database elsewhere may be everybody's.
            with psycopg.connect(addresses.postgres, autocommit=True) as connection:
                publish_undecided(connection, "default")
    except (TopicError, MigrationError) as error:
        raise ServerFailedError(str(error)) from error


@contextmanager
def _stop_signals() -> Iterator[_Stop]:
    stop = _Stop()
    before = {number: signal.signal(number, stop.request) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
