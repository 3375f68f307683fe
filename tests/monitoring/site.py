"""The pipeline that Prometheus looks at: the real workers on topics and tables of their own, and ways to harm them."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from confluent_kafka import Producer

from runledger.access.projects import create_key, create_project
from runledger.schemas.codec import encode_event
from runledger.schemas.identifiers import run_key
from runledger.schemas.run_events import AnyRunEvent, RunEnded, RunStarted, UsageReported
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import PARTITIONER, RUN_EVENTS
from runledger.sinks.migrate import migrate
from runledger.stack.ports import LOOPBACK, choose_port
from runledger.stack.vitals import why_unwell
from tests.e2e.pipeline import Pipeline, Worker, wait_for
from tests.faults.proxy import Proxy
from tests.monitoring.prometheus import Alert, Programs, Prometheus, running_prometheus
from tests.monitoring.shortening import shortened
from tests.servers import own_database, own_topics
from tests.unit.monitoring.files import rules_file

PROJECT = "watched"
PRICED = {"input_tokens": 10, "cost_usd": "0.1", "model": "gpt-4o"}
WORKERS = ("processor", "sink", "relay", "scorer", "watch", "gateway", "api")
START_SECONDS = 180
"""How long processes may take to start on a busy machine."""
HURRY = {
    "RUNLEDGER_LOCK_TIMEOUT_SECONDS": "0.3",
    "RUNLEDGER_PROBE_SECONDS": "0.5",
    "RUNLEDGER_RETRY_LIMIT_SECONDS": "0.3",
    "RUNLEDGER_STATE_BYTES": "60000",
    "RUNLEDGER_WEBHOOK_FIRST_RETRY_SECONDS": "1",
}
"""Shorter pauses, as the rules are shorter; and little room for states, enough for a quiet pipeline's."""


@dataclass
class Site:
    """What there is.

    Args:
        settings: where topics and tables are.
        connection: to the tables.
        running: the workers.
        ports: {worker: port of its listener}.
        prometheus: looks at them.
        proxy: stands between the read API and the database.
        api: URL of the read API.
        key: of the project, to read with.
    """

    settings: ConnectionSettings
    connection: psycopg.Connection
    running: Pipeline
    ports: dict[str, int]
    prometheus: Prometheus
    proxy: Proxy
    api: str
    key: str

    def worker(self, name: str) -> Worker:
        """Return the worker of that name."""
        (found,) = [worker for worker in self.running.workers if worker.name == name]
        return found

    def instance(self, name: str) -> str:
        """Say how Prometheus calls a worker."""
        return f"{LOOPBACK}:{self.ports[name]}"

    def is_well(self, name: str) -> bool:
        """Tell whether a worker says that nothing is wrong."""
        return why_unwell(LOOPBACK, self.ports[name]) is None

    def count(self, query: str) -> int:
        """Return the number that a query finds."""
        row = self.connection.execute(query.encode()).fetchone()
        assert row is not None
        return int(row[0])

    def tell(self, *events: AnyRunEvent) -> None:
        """Log events, acknowledged."""
        self.log(*((run_key(it.project_key, it.run_id), encode_event(it)) for it in events))

    def log(self, *records: tuple[bytes, bytes]) -> None:
        """Log (key, value) as they are, acknowledged."""
        producer = Producer({"bootstrap.servers": self.settings.kafka, "partitioner": PARTITIONER})
        for key, value in records:
            producer.produce(RUN_EVENTS.name(self.settings.topic_prefix), value, key)
        assert producer.flush(60) == 0

    def ask_api(self) -> int:
        """Ask the read API for runs; return the status."""
        request = urllib.request.Request(  # noqa: S310  # ours, on loopback
            f"{self.api}/api/v1/runs", headers={"Authorization": f"Bearer {self.key}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # as above
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            refused.close()
            return refused.code

    def expect_calm(self, *alerts: str) -> None:
        """Have none of these alerts fire, nor be about to: what an earlier test did may take a moment to pass."""
        wait_for("calm", lambda: not {alert.name for alert in self.prometheus.alerts()} & {*alerts}, 60)

    def wait_for_alerts(self, *alerts: str, seconds: float = 90) -> dict[str, list[Alert]]:
        """Wait until each of these alerts has fired; return each as it did, by its name."""
        return self.wait_while(lambda: None, *alerts, seconds=seconds)

    def wait_while(self, harm: Callable[[], object], *alerts: str, seconds: float = 90) -> dict[str, list[Alert]]:
        """Do harm again and again until each of these alerts has fired; return each as it did, by its name."""
        fired: dict[str, list[Alert]] = {}

        def look() -> bool:
            harm()
            for alert in self.prometheus.alerts():
                if alert.state == "firing" and alert.name in alerts and alert not in fired.get(alert.name, []):
                    fired.setdefault(alert.name, []).append(alert)
            return fired.keys() == {*alerts}

        try:
            wait_for(" and ".join(alerts), look, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; only {sorted(fired)} fired") from error
        return fired


def a_run(agent: str, usage: Mapping[str, object], status: str = "completed") -> list[AnyRunEvent]:
    """Make up a run: its start, what it used, its end.

    Args:
        agent: whose.
        usage: fields of its token usage; empty, and it reports none.
        status: of its end.
    """

    def common() -> dict[str, Any]:
        return {**run, "event_id": str(uuid4()), "occurred_at": datetime.now(UTC)}

    run = {"project_key": PROJECT, "run_id": uuid4(), "agent_id": agent}
    used = [UsageReported.model_validate({**common(), "data": {"token_usage": usage}})] if usage else []
    ended = RunEnded.model_validate({**common(), "data": {"status": status, "summary": "did what it could"}})
    return [RunStarted.model_validate(common() | {"data": {}}), *used, ended]


class _Refusing(BaseHTTPRequestHandler):
    """Takes nothing."""

    def do_POST(self) -> None:  # as the library calls it
        """Refuse."""
        self.send_response(HTTPStatus.INTERNAL_SERVER_ERROR)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # as the library calls it
        """Say nothing."""


@contextmanager
def refusing_receiver() -> Iterator[str]:
    """Give the URL of a webhooks' receiver that answers 500."""
    with ThreadingHTTPServer((LOOPBACK, 0), _Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{LOOPBACK}:{server.server_address[1]}/hook"
        server.shutdown()


@contextmanager
def running_site(kafka: str, postgres: str, programs: Programs, folder: Path) -> Iterator[Site]:
    """Run the pipeline, and Prometheus once it works, for the length of a block.

    Args:
        kafka: where the broker is.
        postgres: URI of a database in which databases may be made.
        programs: Prometheus.
        folder: for logs and data.
    """
    with ExitStack() as stack:
        topics = stack.enter_context(own_topics(kafka, postgres))
        database = stack.enter_context(own_database(postgres))
        migrate(database)
        connection = stack.enter_context(psycopg.connect(database, autocommit=True))
        create_project(connection, PROJECT)
        key = create_key(connection, PROJECT, ["read"]).text()
        parts = psycopg.conninfo.conninfo_to_dict(database)
        proxy = stack.enter_context(Proxy(str(parts["host"]), int(parts["port"] or 0)))
        through = psycopg.conninfo.make_conninfo(database, host=LOOPBACK, port=proxy.port)
        settings = topics.model_copy(update={"postgres": database})
        of_workers = {"api": {"RUNLEDGER_POSTGRES": through, "RUNLEDGER_POSTGRES_READ": through}}
        running = Pipeline(settings, folder, HURRY, of_workers)
        stack.callback(running.stop)
        doors = {name: choose_port() for name in ("HTTP", "API")}
        ports: dict[str, int] = {}
        for name in WORKERS:
            ports[name] = choose_port({*ports.values(), *doors.values()})
            listening = {f"RUNLEDGER_{door}_PORT": str(port) for door, port in doors.items()}
            running.start(name, {"RUNLEDGER_METRICS_PORT": str(ports[name]), **listening})
        for name, port in ports.items():
            wait_for(f"{name} is well", lambda port=port: why_unwell(LOOPBACK, port) is None, START_SECONDS)  # type: ignore[misc]  # a default of a lambda
        api = f"http://{LOOPBACK}:{doors['API']}"
        site = Site(settings, connection, running, ports, Prometheus(0), proxy, api, key)
        _warm_up(site)
        site.prometheus = stack.enter_context(running_prometheus(programs, shortened(rules_file()), ports, folder))
        yield site


def _warm_up(site: Site) -> None:
    """Let something go all the way: what begins takes longer than what runs."""
    site.tell(*a_run("sage", PRICED))
    wait_for("a score", lambda: site.count("SELECT count(*) FROM run_score") > 0, START_SECONDS)
    wait_for("a watermark", lambda: site.count("SELECT count(*) FROM pipeline_span") > 0, START_SECONDS)
    wait_for("an answer of the API", lambda: site.ask_api() == HTTPStatus.OK, START_SECONDS)
