"""Broker or database away or hanging: bounded waits, one line each time it changes, a prompt end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress

import psycopg
import pytest
from structlog.testing import capture_logs

from runledger.schemas.settings import ConnectionSettings
from runledger.watch.database import Connection, Database
from runledger.watch.settings import WatchSettings
from runledger.watch.watermark import keep_watermark
from runledger.watch.webhooks import send_webhooks
from tests.integration.watch.conftest import Ledger, until

pytestmark = pytest.mark.integration


@asynccontextmanager
async def hanging_server() -> AsyncIterator[int]:
    """Give the port of a server that takes connections and says nothing."""
    writers: list[asyncio.StreamWriter] = []

    def listen(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for writer in writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def lines_while_away(settings: WatchSettings) -> list[str]:
    """Return the events that both parts log while they try three times, and end them."""
    stopping = asyncio.Event()
    with capture_logs() as logs:
        parts = [asyncio.create_task(part(settings, stopping)) for part in (keep_watermark, send_webhooks)]
        tries = time.monotonic() + 5
        await until(lambda: time.monotonic() > tries)
        began = time.monotonic()
        stopping.set()
        await asyncio.gather(*parts)
    assert time.monotonic() - began < 3
    return sorted(f"{line['event']} {line.get('what')} {line.get('reason')}" for line in logs)


async def test_a_database_that_hangs_is_told_once_by_each_part() -> None:
    async with hanging_server() as port:
        settings = WatchSettings(postgres=f"postgresql://postgres@127.0.0.1:{port}/x", request_seconds=1)
        assert await lines_while_away(settings) == ["away watermark TimeoutError", "away webhooks TimeoutError"]


async def test_a_database_that_is_away_is_told_once_by_each_part() -> None:
    settings = WatchSettings(postgres="postgresql://postgres@127.0.0.1:1/x", request_seconds=1)
    assert await lines_while_away(settings) == ["away watermark OperationalError", "away webhooks OperationalError"]


async def test_a_broker_that_is_away_is_told_once_and_stops_no_webhooks(ledger: Ledger) -> None:
    settings = WatchSettings(kafka="127.0.0.1:1", postgres=ledger.uri, request_seconds=1)
    (line,) = await lines_while_away(settings)
    assert line.startswith("away watermark ")
    assert ledger.rows("SELECT count(*) FROM pipeline_span") == [(0,)]


async def test_the_watermark_goes_on_when_the_database_is_back(ledger: Ledger, topics: ConnectionSettings) -> None:
    settings = WatchSettings(
        **topics.model_dump(exclude={"postgres"}), postgres=ledger.uri, probe_seconds=0.05, request_seconds=5
    )
    count = "SELECT count(*), max(reached_at) FROM pipeline_span"
    stopping = asyncio.Event()
    with capture_logs() as logs:
        keeping = asyncio.create_task(keep_watermark(settings, stopping))
        await until(lambda: ledger.rows(count)[0][0] == 1)
        ledger.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'runledger-watermark'"
        )
        reached = ledger.rows("SELECT clock_timestamp()")[0][0]
        await until(lambda: ledger.rows(count)[0][1] > reached)
        stopping.set()
        await keeping
    assert [line["event"] for line in logs if line.get("what") == "watermark"][-2:] == ["away", "back"]
    assert ledger.rows(count)[0][0] == 1


async def test_a_wait_cancelled_when_the_answer_is_there_leaves_no_connection(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answered_and_cancelled(_seconds: float, question: Coroutine[None, None, object]) -> None:
        await asyncio.create_task(question)
        raise asyncio.CancelledError

    async def answer(connection: Connection) -> None:
        await connection.execute("SELECT 42")

    monkeypatch.setattr("runledger.watch.database.answer_within", answered_and_cancelled)
    with pytest.raises(asyncio.CancelledError):
        await Database(ledger.uri, "runledger-cancelled", 5).ask(answer)
    held = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'runledger-cancelled'"
    await until(lambda: ledger.rows(held) == [(0,)])


async def test_a_question_is_answered_within_its_bound_or_not_at_all(ledger: Ledger) -> None:
    database = Database(ledger.uri, "runledger-test", 0.5)

    async def sleep(connection: Connection) -> None:
        await connection.execute("SELECT pg_sleep(30)")

    async def answer(connection: Connection) -> int:
        row = await (await connection.execute("SELECT 42")).fetchone()
        assert row is not None
        return int(row[0])

    assert await database.ask(answer) == 42
    began = time.monotonic()
    with pytest.raises((TimeoutError, psycopg.errors.QueryCanceled)):
        await database.ask(sleep)
    assert time.monotonic() - began < 2
    assert await database.ask(answer) == 42
    sleeping = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'runledger-test' AND query LIKE %s"
    await until(lambda: not ledger.rows(sleeping, "%pg_sleep(30)%"))
    await database.close()


async def test_old_spans_are_removed_and_long_ones_kept(ledger: Ledger, topics: ConnectionSettings) -> None:
    ledger.connection.execute(
        "INSERT INTO pipeline_span SELECT now() - began * interval '1 day', now() - reached * interval '1 day' "
        "FROM (VALUES (500, 450), (450, 399), (30, 20)) AS days (began, reached)"
    )
    settings = WatchSettings(**topics.model_dump(exclude={"postgres"}), postgres=ledger.uri)
    stopping = asyncio.Event()
    keeping = asyncio.create_task(keep_watermark(settings, stopping))
    await until(lambda: bool(ledger.rows("SELECT 1 FROM pipeline_span WHERE reached_at > now() - interval '1 minute'")))
    stopping.set()
    await keeping
    assert ledger.rows("SELECT extract(day FROM now() - reached_at)::integer FROM pipeline_span ORDER BY 1 DESC") == [
        (399,),
        (20,),
        (0,),
    ]


async def test_the_watermark_does_not_wait_for_the_count_of_open_runs(
    ledger: Ledger, topics: ConnectionSettings
) -> None:
    """With millions of them it takes longer than an answer may; here because somebody holds the table."""
    settings = WatchSettings(
        **topics.model_dump(exclude={"postgres"}), postgres=ledger.uri, probe_seconds=0.05, request_seconds=2
    )
    newest = "SELECT max(reached_at) FROM pipeline_span"
    stopping = asyncio.Event()
    with capture_logs() as logs, psycopg.connect(ledger.uri) as holding:
        holding.execute("LOCK TABLE agent_run IN ACCESS EXCLUSIVE MODE")
        keeping = asyncio.create_task(keep_watermark(settings, stopping))
        await until(lambda: any(line["event"] == "open_runs_not_counted" for line in logs))
        counted_at = ledger.rows("SELECT clock_timestamp()")[0][0]
        await until(lambda: ledger.rows(newest)[0][0] > counted_at)
        stopping.set()
        await keeping
    assert [line["event"] for line in logs].count("open_runs_not_counted") == 1
