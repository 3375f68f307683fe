"""B8: the public intelligence endpoint at ten thousand, a million and ten million rows."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from urllib.parse import quote
from zoneinfo import available_timezones

import orjson
import psycopg
from psycopg import sql

from benchmarks.contest import say
from benchmarks.errors import TooSlowError, WrongResultError
from benchmarks.latency import percentile
from benchmarks.load import AGENTS, PROJECT
from benchmarks.ours import worker
from benchmarks.programs import Program
from benchmarks.results import Result, compare
from benchmarks.servers import Corner, Servers
from benchmarks.sizes import Size
from runledger.stack.ports import choose_port

NAME = "B8"
CLAIM = "intelligence endpoint: p99 at 10 thousand, 1 million and 10 million rows, none from its cache"
ROWS = (10_000, 1_000_000, 10_000_000)
FLAT, P99_MS = 1.5, 20
REQUESTS = 1000
_PATH = "/api/v1/public/platform/intelligence?time_zone="
_PER_SECOND = 50
"""Slower than its cache of five seconds turns over: there are more zones than five seconds of requests."""
_START_SECONDS = 60
_DAYS = 30

# Rows as the sink writes them, spread over a month and fifty agents; the rollup counted from the rows themselves.
_ROWS = """
INSERT INTO agent_run_log (id, agent_id, run_at, action_summary, actions_taken, status, consecutive_silence_count,
    created_at, project_key, run_id, revision, kind, run_status, inferred, silent, ended_at, late, log_partition,
    log_offset, rlhf_scores)
SELECT id, 'agent-' || lpad((n %% %(agents)s)::text, 2, '0'), at, 'answered a question',
    '{"summary": "answered a question"}', CASE n %% 10 WHEN 0 THEN 'failed' WHEN 1 THEN 'partial' ELSE 'success' END, 0,
    at, %(project)s, id, 1, 'lifecycle', 'completed', false, false, at, false, (n %% 4)::int, n,
    CASE WHEN n %% 2 = 0 THEN '{"overall": 0.75}'::jsonb END
FROM (
    SELECT n, lpad(to_hex(n), 32, '0')::uuid AS id,
        now() - %(days)s * interval '1 day' * (1 - n::float8 / %(rows)s) AS at
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
) AS made
"""
_ROLLUP = """
INSERT INTO run_rollup (project_key, quarter, shard, runs, success, partial, failed, scored, score_sum)
SELECT project_key, date_bin('15 minutes', created_at, '2000-01-01 00:00:00+00'), log_partition, count(*),
    count(*) FILTER (WHERE status = 'success'), count(*) FILTER (WHERE status = 'partial'),
    count(*) FILTER (WHERE status = 'failed'), count(rlhf_scores),
    coalesce(sum((rlhf_scores ->> 'overall')::numeric), 0)
FROM agent_run_log GROUP BY 1, 2, 3
"""
_AGENTS = """
INSERT INTO agent (project_key, agent_id, name, role) SELECT DISTINCT project_key, agent_id, agent_id, 'Bench'
FROM agent_health
"""
_HEALTH = """
INSERT INTO agent_health (project_key, agent_id, version, last_logged_at, last_ended_at, last_status, finished_runs,
    consecutive_silence_count, consecutive_failure_count)
SELECT project_key, agent_id, max(log_offset), max(created_at), max(ended_at), 'success', count(*), 0, 0
FROM agent_run_log GROUP BY 1, 2
"""
_PROJECT = "INSERT INTO project (project_key, is_public) VALUES (%s, true)"
_TODAY = """
SELECT count(*) FROM agent_run_log WHERE status = 'success' AND created_at >= date_trunc('day', now(), 'UTC')
"""
_INDEXES = """
SELECT relname, pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE indrelid = 'agent_run_log'::regclass
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""
_BLOCK_ROWS = 500_000


def measure(servers: Servers, size: Size) -> Result:
    """Measure the endpoint over HTTP at each size.

    Raises:
        BenchmarkError: the endpoint failed, or its count is not that of the rows.
    """
    with ExitStack() as stack:
        asked = {rows: stack.enter_context(_endpoint(servers, size.share(rows, 1000))) for rows in ROWS}
        took = _ask(asked, size)
    p99 = {rows: 1000 * percentile(each, 0.99) for rows, each in took.items()}
    p50 = {rows: 1000 * percentile(each, 0.5) for rows, each in took.items()}
    for rows in ROWS:
        say(f"{size.share(rows, 1000):,} rows: p50 {p50[rows]:.1f} ms, p99 {p99[rows]:.1f} ms")
    largest, flat = p99[ROWS[-1]], p99[ROWS[-1]] / p99[ROWS[0]]
    extra = {
        "p99_ms": {f"{rows:,}": round(value, 2) for rows, value in p99.items()},
        "p50_ms": {f"{rows:,}": round(value, 2) for rows, value in p50.items()},
        "largest_to_smallest": round(flat, 2),
    }
    met = flat <= FLAT and max(p99.values()) <= P99_MS
    target = f"within {FLAT}x of each other, <= {P99_MS} ms"
    return compare(
        NAME, CLAIM, "ms, p99 at most rows", {"ours": [largest]}, {}, extra=extra, target=target, target_met=met
    )


def _make_rows(corner: Corner, rows: int) -> None:
    """Fill the tables; the indexes are made afterwards, as that takes a fraction of the time."""
    with corner.connect() as connection:
        connection.execute(_PROJECT, [PROJECT])
        connection.execute("SET maintenance_work_mem = '512MB'")
        indexes = connection.execute(_INDEXES).fetchall()
        for name, _ in indexes:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
        for first in range(1, rows + 1, _BLOCK_ROWS):
            last = min(rows, first + _BLOCK_ROWS - 1)
            told = {"agents": AGENTS, "project": PROJECT, "days": _DAYS, "rows": rows, "first": first, "last": last}
            connection.execute(_ROWS, told)
        for _, definition in indexes:
            connection.execute(definition)
        for statement in (_ROLLUP, _HEALTH, _AGENTS, "VACUUM ANALYZE"):
            connection.execute(statement)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One read API over one database.

    Args:
        client: a kept connection to it.
        connection: to its database.
        running: its process.
    """

    client: http.client.HTTPConnection
    connection: psycopg.Connection
    running: Program


@contextmanager
def _endpoint(servers: Servers, rows: int) -> Iterator[Endpoint]:
    with servers.corner() as corner:
        began = time.monotonic()
        _make_rows(corner, rows)
        say(f"{rows:,} rows made in {time.monotonic() - began:.0f} s")
        with _api(corner) as (port, running), corner.connect() as connection:
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            with closing(client):
                yield Endpoint(client, connection, running)


def _ask(asked: Mapping[int, Endpoint], size: Size) -> dict[int, list[float]]:
    """Seconds of each answer, by size. The sizes take turns, so that a noisy machine is noisy for all of them.

    Each is asked for as many time zones as there are, at a steady pace, so that no answer is from its cache.
    """
    zones = sorted(zone for zone in available_timezones() if "/" in zone)  # the others are abbreviations and files
    took: dict[int, list[float]] = {rows: [] for rows in asked}
    for endpoint in asked.values():
        _check(endpoint)
    warm_up = len(zones) // 10
    for number in range(size.share(REQUESTS, 100) + warm_up):
        for rows, endpoint in asked.items():
            began = time.perf_counter()
            _get(endpoint.client, zones[number % len(zones)])
            took[rows].append(time.perf_counter() - began)
            endpoint.running.check()
            time.sleep(max(0.0, 1 / _PER_SECOND - took[rows][-1]))
    for endpoint in asked.values():
        _check(endpoint)
    return {rows: each[warm_up:] for rows, each in took.items()}


def _get(client: http.client.HTTPConnection, zone: str) -> dict[str, object]:
    client.request("GET", _PATH + quote(zone))
    answer = client.getresponse()
    body = answer.read()
    if answer.status != 200:  # noqa: PLR2004  # HTTP's OK
        raise WrongResultError(f"the endpoint answered {answer.status} for {zone}: {body[:300].decode()}")
    document: dict[str, object] = orjson.loads(body)
    return document


def _check(endpoint: Endpoint) -> None:
    counted = endpoint.connection.execute(_TODAY).fetchone()
    told = _get(endpoint.client, "UTC")["tasks_completed_today"]
    if counted is None or told != counted[0]:
        raise WrongResultError(f"the endpoint counts {told} runs today, the table holds {counted}")


@contextmanager
def _api(corner: Corner) -> Iterator[tuple[int, Program]]:
    port = choose_port()
    environment = {"RUNLEDGER_API_PORT": str(port), "RUNLEDGER_POSTGRES_READ": corner.settings.postgres}
    with worker(corner, "api", environment=environment) as running:
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(port):
            running.check()
            if time.monotonic() > deadline:
                raise TooSlowError("the read API does not get ready")
            time.sleep(0.1)
        yield port, running


def _answers(port: int) -> bool:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        client.request("GET", "/healthz")
        return client.getresponse().status == 200  # noqa: PLR2004  # HTTP's OK
    except OSError:
        return False
    finally:
        client.close()
