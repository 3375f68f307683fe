"""What goes in over HTTP stands in the tables, each call once."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest

from runledger.access.projects import create_key, create_project
from runledger.schemas.settings import ConnectionSettings
from runledger.sinks.migrate import migrate
from runledger.sinks.verify import verify
from runledger.stack.health import answers_http
from runledger.stack.ports import LOOPBACK, choose_port
from tests.e2e.pipeline import pipeline, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
POSTS = 1000
REPEATS = 20
ROWS = Counter({"default": POSTS, "acme": 2})
USAGE = {"input_tokens": 8400, "output_tokens": 1200, "cost_usd": 0.028, "model": "claude-opus-4", "llm_calls": 3}
FINAL = {"input_tokens": 12400, "output_tokens": 3200, "cost_usd": 0.042, "model": "claude-opus-4", "llm_calls": 7}


class Poster:
    """Post to the gateway, everything at once."""

    def __init__(self, session: aiohttp.ClientSession, key: str) -> None:
        self._session = session
        self._authorization = {"Authorization": f"Bearer {key}"}

    async def log(self, number: int) -> int:
        """Log a run as the second source document has it, without a key; return the status."""
        body = {"agent_id": f"agent-{number % 7}", "status": "success", "actions_taken": {"summary": f"run {number}"}}
        async with self._session.post("/api/v1/internal/agent-run-log", json=body) as answer:
            return answer.status

    async def repeat(self, route: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        """Send the same call twenty times at once; return the one answer they all get."""

        async def post() -> tuple[int, bytes]:
            headers = {**self._authorization, "Idempotency-Key": key}
            async with self._session.post(f"/api/v1/{route}", json=body, headers=headers) as answer:
                return answer.status, await answer.read()

        answers = Counter(await asyncio.gather(*(post() for _ in range(REPEATS))))
        assert len(answers) == 1, answers
        async with self._session.post(
            f"/api/v1/{route}", json=body, headers={**self._authorization, "Idempotency-Key": key}
        ) as answer:
            assert answer.status == 201
            told: dict[str, Any] = await answer.json()
            return told


async def post_everything(url: str, key: str) -> tuple[Counter[int], str]:
    """Log 1,000 runs at once, and tell one run with every call repeated; return statuses and the run's id."""
    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(url, connector=connector, timeout=timeout) as session:
        poster = Poster(session, key)
        statuses = Counter(await asyncio.gather(*(poster.log(number) for number in range(POSTS))))
        run_id: str = (await poster.repeat("runs", {"agent_id": "sage"}, "begin"))["run_id"]
        await poster.repeat(f"runs/{run_id}/usage", {"token_usage": USAGE}, "report-1")
        await poster.repeat(f"runs/{run_id}/usage", {"token_usage": USAGE}, "report-2")
        await poster.repeat("failures", {"run_id": run_id, "summary": "f"}, "failure")
        await poster.repeat(f"runs/{run_id}/end", {"status": "completed", "token_usage": FINAL}, "end")
        await poster.repeat("records", {"agent": "nova", "summary": "s"}, "record")
        return statuses, run_id


def test_a_thousand_posts_are_a_thousand_rows_and_a_repeated_call_counts_once(
    topics: ConnectionSettings, database: str, tmp_path: Path
) -> None:
    migrate(database)
    settings = topics.model_copy(update={"postgres": database})
    port = choose_port()
    with psycopg.connect(database, autocommit=True) as connection:
        create_project(connection, "acme")
        key = create_key(connection, "acme", ["emit"]).text()
        names = ("processor", "sink", "relay", "scorer", "gateway")
        with pipeline(settings, tmp_path, names, RUNLEDGER_HTTP_PORT=str(port)):
            wait_for("the gateway answers", lambda: answers_http(LOOPBACK, port, "/readyz"), 120)
            statuses, run_id = asyncio.run(post_everything(f"http://{LOOPBACK}:{port}", key))
            assert statuses == {204: POSTS}
            wait_for("every run has its row", lambda: rows_of(connection) >= ROWS, 120)
            wait_for("no difference is left", lambda: verify(connection).clean, 60)
        assert rows_of(connection) == ROWS
        summaries = connection.execute("SELECT count(DISTINCT action_summary) FROM agent_run_log").fetchone()
        assert summaries == (POSTS + 1,)
        run = connection.execute(
            "SELECT status, input_tokens, reported -> 'input_tokens', llm_calls, failures "
            "FROM agent_run WHERE run_id = %s",
            (run_id,),
        ).fetchone()
        assert run == ("completed", 12400, 16800, 7, 1)


def rows_of(connection: psycopg.Connection) -> Counter[str]:
    """Count the rows of each project."""
    query = "SELECT project_key, count(*) FROM agent_run_log GROUP BY project_key"
    return Counter(dict(connection.execute(query).fetchall()))
