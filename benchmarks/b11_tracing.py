"""B11: agent runs sent by a real OpenTelemetry exporter until they stand in Postgres, beside trace stores."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias
from urllib.parse import quote

import psycopg

from benchmarks.b5_pipeline import WORKERS
from benchmarks.contest import say
from benchmarks.errors import EndedError, TooSlowError, WrongResultError
from benchmarks.machine import TRACING_ENVIRONMENT
from benchmarks.ours import check_all, worker, workers
from benchmarks.programs import PEERS, ROOT, Program, peer_python, program
from benchmarks.rates import watch
from benchmarks.results import Result, compare
from benchmarks.servers import Corner, Servers
from benchmarks.sizes import Size
from runledger.stack.ports import choose_port

NAME = "B11"
CLAIM = "agent runs of 5 LLM calls each, sent by an OpenTelemetry exporter, until they stand in Postgres"
OUR_RUNS, PEER_RUNS = 5_000, 300
"""A peer that takes a twentieth of the speed takes as long for a twentieth of the runs."""
TARGET = 20.0
SPANS_PER_RUN = 6
TOKENS_PER_RUN = 5 * 100 + 10
_START_SECONDS = 240
_VISIBLE = """
SELECT count(*), coalesce(sum(input_tokens), 0) FROM agent_run WHERE status = 'completed' AND llm_calls = 5
"""

Backend: TypeAlias = Iterator[tuple[str, list[str], Callable[[], int], Callable[[], None]]]
"""(endpoint, headers, runs that stand in the tables, check that it still runs)"""


def measure(servers: Servers, size: Size) -> Result:
    """Measure runs a second until visible, of all three.

    Raises:
        BenchmarkError: a back end failed or was too slow, or runs are missing.
    """
    backends = {"ours": (_ours, OUR_RUNS), "arize-phoenix": (_phoenix, PEER_RUNS), "mlflow": (_mlflow, PEER_RUNS)}
    found: dict[str, list[float]] = {name: [] for name in backends}
    for number in range(1, size.rounds + 1):
        for name, (backend, full) in backends.items():
            runs = size.share(full, 20)
            with servers.corner() as corner, backend(corner) as (endpoint, headers, visible, check):
                rate = _send(corner, endpoint, headers, runs, visible, check, size)
            found[name].append(rate)
            say(f"round {number}: {name} {rate:,.1f} runs/s")
    targets = {"arize-phoenix": TARGET, "mlflow": TARGET}
    extra = {"runs": size.share(OUR_RUNS, 20), "peers_runs": size.share(PEER_RUNS, 20), "spans_per_run": SPANS_PER_RUN}
    return compare(NAME, CLAIM, "runs/s", found, targets, extra=extra)


def _send(
    corner: Corner,
    endpoint: str,
    headers: list[str],
    runs: int,
    visible: Callable[[], int],
    check: Callable[[], None],
    size: Size,
) -> float:
    """Runs a second from the first span to the last run's row: a back end may take hundreds of spans at once."""
    command = (peer_python(TRACING_ENVIRONMENT), str(PEERS / "otel_agents.py"), endpoint, str(runs), *headers)
    with program("agents", command, corner.folder) as agents:

        def check_both() -> None:
            check()
            agents.check()

        watch(visible, runs, deadline_seconds=2 * size.deadline_seconds, check=check_both, pause_seconds=0.02)
        ended = time.monotonic()
        agents.wait(size.deadline_seconds)
        told = agents.log.read_bytes().split()
    if len(told) != 2 or int(told[1]) != runs * SPANS_PER_RUN:  # noqa: PLR2004  # when it began, how many spans
        raise EndedError(f"the exporter did not send all its spans: {agents.last_words()}")
    return runs / (ended - float(told[0]))


@contextmanager
def _ours(corner: Corner) -> Backend:
    port = choose_port()
    environment = {"RUNLEDGER_HTTP_PORT": str(port)}
    with (
        corner.connect() as connection,
        workers(corner, *WORKERS) as running,
        worker(corner, "gateway", environment=environment) as gateway,
    ):
        endpoint = f"http://127.0.0.1:{port}"
        _wait(f"{endpoint}/readyz", gateway)

        def visible() -> int:
            row = connection.execute(_VISIBLE).fetchone()
            runs, tokens = row or (0, 0)
            if tokens != runs * TOKENS_PER_RUN:
                raise WrongResultError(f"{runs} runs used {tokens} tokens, not {runs * TOKENS_PER_RUN}")
            return int(runs)

        yield endpoint, [], visible, check_all([*running, gateway])


@contextmanager
def _own_database(corner: Corner, name: str) -> Iterator[str]:
    """URI of a database for a peer, beside the corner's."""
    full = f"{corner.word}_{name}"
    parts = psycopg.conninfo.conninfo_to_dict(corner.settings.postgres)
    with corner.connect() as connection:
        connection.execute(f'CREATE DATABASE "{full}"')
        try:
            password = f":{quote(str(parts['password']), safe='')}" if parts.get("password") else ""
            yield f"postgresql://{parts['user']}{password}@{parts['host']}:{parts['port']}/{full}"
        finally:
            connection.execute(f'DROP DATABASE "{full}" WITH (FORCE)')


@contextmanager
def _phoenix(corner: Corner) -> Backend:
    port, grpc_port = choose_port(), choose_port()
    with _own_database(corner, "phoenix") as uri:
        environment = {
            "PHOENIX_SQL_DATABASE_URL": uri,
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(port),
            "PHOENIX_GRPC_PORT": str(grpc_port),
            "PHOENIX_WORKING_DIR": str(corner.folder / "phoenix"),
            "PHOENIX_TELEMETRY_ENABLED": "false",
        }
        command = (peer_python(TRACING_ENVIRONMENT), "-m", "phoenix.server.main", "serve")
        with program("phoenix", command, corner.folder, environment) as running:
            endpoint = f"http://127.0.0.1:{port}"
            _wait(f"{endpoint}/healthz", running)
            with psycopg.connect(uri, autocommit=True) as connection:
                yield endpoint, [], lambda: _spans(connection) // SPANS_PER_RUN, running.check


@contextmanager
def _mlflow(corner: Corner) -> Backend:
    port = choose_port()
    with _own_database(corner, "mlflow") as uri:
        python = peer_python(TRACING_ENVIRONMENT)
        command = [python, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
        command += [
            "--backend-store-uri",
            uri.replace("postgresql:", "postgresql+psycopg2:", 1),
            "--artifacts-destination",
            str(corner.folder / "mlflow"),
            "--uvicorn-opts",
            f"--timeout-worker-healthcheck {_START_SECONDS}",  # or it kills workers that start on a busy machine
        ]
        environment = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
        path = f"{(ROOT / TRACING_ENVIRONMENT / 'bin')}:/usr/bin:/bin"
        with program("mlflow", command, corner.folder, {**environment, "PATH": path}) as running:
            endpoint = f"http://127.0.0.1:{port}"
            _wait(f"{endpoint}/health", running)
            with psycopg.connect(uri, autocommit=True) as connection:
                yield endpoint, ["x-mlflow-experiment-id=0"], lambda: _spans(connection) // SPANS_PER_RUN, running.check


def _spans(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT count(*) FROM spans").fetchone()
    return 0 if row is None else int(row[0])


def _wait(url: str, running: Program) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  # a server we have started
                if answer.status == 200:  # noqa: PLR2004  # HTTP's OK
                    return
        except (urllib.error.URLError, OSError):
            pass
        running.check()
        if time.monotonic() > deadline:
            raise TooSlowError(f"{running.name} does not get ready: {running.last_words()}")
        time.sleep(0.2)
