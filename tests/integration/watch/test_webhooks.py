"""Incidents leave the house: each at least once, repeats under one id, in order, and nobody waits for a neighbour."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from aiohttp import web

from runledger.access.errors import NoProjectError, NoWebhookError
from runledger.access.webhooks import count_deliveries, find_webhook, remove_webhook, set_webhook
from runledger.watch.schedule import ATTEMPTS
from runledger.watch.webhooks import send_webhooks
from tests.integration.watch.conftest import Ledger, Sending, until
from tests.integration.watch.receiver import Behaviour, first, flood, hang, receiving, reset, say, take

pytestmark = pytest.mark.integration

BACKENDS = "FROM pg_stat_activity WHERE application_name = 'runledger-webhooks'"
DELIVERED = "SELECT count(*) FROM webhook_delivery WHERE delivered_at IS NOT NULL"


def delivered(ledger: Ledger) -> int:
    return int(ledger.rows(DELIVERED)[0][0])


async def test_an_incident_is_told_when_it_opens_and_when_it_recovers(ledger: Ledger, sending: Sending) -> None:
    async with receiving() as receiver, sending():
        ledger.project("acme", receiver)
        incident = ledger.open(7)
        await until(lambda: delivered(ledger) == 1)
        ledger.recover(incident)
        await until(lambda: delivered(ledger) == 2)
    assert receiver.ids == [f"{incident.incident_id}.open", f"{incident.incident_id}.recovered"]
    opened, recovered = (body for _, body in receiver.told)
    assert (opened["type"], opened["state"], opened["recovered_at"]) == ("incident.opened", "open", None)
    assert (recovered["type"], recovered["recovered_at"]) == ("incident.recovered", "2026-03-01T13:00:00Z")
    assert {body["project_key"] for body in (opened, recovered)} == {"acme"}


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(first(3, say(503)), id="fails"),
        pytest.param(first(2, hang), id="hangs"),
        pytest.param(first(2, reset), id="resets"),
        pytest.param(first(2, say(302, Location="/elsewhere")), id="redirects"),
        pytest.param(flood, id="floods"),
    ],
)
async def test_a_receiver_that_misbehaves_gets_each_incident_under_one_id_until_it_has_it(
    ledger: Ledger, sending: Sending, behave: Behaviour
) -> None:
    async with receiving(behave) as receiver, sending():
        ledger.project("acme", receiver)
        incidents = [ledger.open(number) for number in (1, 2)]
        await until(lambda: delivered(ledger) == 2)
    assert set(receiver.ids) == {f"{incident.incident_id}.open" for incident in incidents}
    assert len(receiver.ids) == ledger.rows("SELECT sum(attempts) FROM webhook_delivery")[0][0]
    bodies = dict(receiver.told)
    assert all(body == bodies[message_id] for message_id, body in receiver.told), "a repeat has the same words"
    assert ledger.rows("SELECT DISTINCT last_error FROM webhook_delivery") == [(None,)]


async def test_a_slow_receiver_holds_up_no_other_project(ledger: Ledger, sending: Sending) -> None:
    async with receiving(hang) as slow, receiving() as quick, sending(webhook_timeout_seconds=5, webhook_in_flight=10):
        ledger.project("slow", slow)
        ledger.project("quick", quick)
        for number in range(100):
            ledger.open(number, "slow")
        await until(lambda: len(slow.told) == 2)
        began = time.monotonic()
        for number in range(100, 110):
            ledger.open(number, "quick")
        await until(lambda: delivered(ledger) == 10)
        assert time.monotonic() - began < 4, "no post to the slow one ended before"
    assert len(slow.told) == 2


async def test_a_recovery_waits_until_the_opening_was_told(ledger: Ledger, sending: Sending) -> None:
    async with receiving(first(3, say(500))) as receiver, sending():
        ledger.project("acme", receiver)
        incident = ledger.recover(ledger.open(7))
        await until(lambda: delivered(ledger) == 2)
    assert receiver.ids == [f"{incident.incident_id}.open"] * 4 + [f"{incident.incident_id}.recovered"]


async def test_a_recovery_is_told_when_the_opening_was_given_up(ledger: Ledger, sending: Sending) -> None:
    async with receiving(first(1, say(410))) as receiver, sending():
        ledger.project("acme", receiver)
        incident = ledger.recover(ledger.open(7))
        await until(lambda: delivered(ledger) == 1)
    assert receiver.ids == [f"{incident.incident_id}.open", f"{incident.incident_id}.recovered"]
    assert ledger.rows("SELECT state, last_error FROM webhook_delivery WHERE given_up_at IS NOT NULL") == [
        ("open", "HTTP 410")
    ]


async def test_what_happened_before_the_webhook_was_set_is_not_told(ledger: Ledger, sending: Sending) -> None:
    ledger.project("acme")
    old, lasting = ledger.open(1), ledger.open(2)
    ledger.recover(old)
    async with receiving() as receiver, sending():
        ledger.project("acme", receiver)
        ledger.recover(lasting)
        new = ledger.open(3)
        await until(lambda: delivered(ledger) == 2)
    assert sorted(receiver.ids) == [f"{lasting.incident_id}.recovered", f"{new.incident_id}.open"]


async def test_nothing_is_noted_for_a_project_without_a_webhook(ledger: Ledger, sending: Sending) -> None:
    async with receiving() as receiver, sending():
        ledger.project("other")
        ledger.open(1, "other")
        ledger.project("acme", receiver)
        ledger.open(2)
        await until(lambda: delivered(ledger) == 1)
    assert ledger.rows("SELECT project_key FROM webhook_delivery") == [("acme",)]


async def test_after_the_last_attempt_it_is_given_up_with_the_reason_alone(ledger: Ledger, sending: Sending) -> None:
    async with receiving(say(500)) as receiver, sending(webhook_first_retry_seconds=60):
        ledger.project("acme", receiver)
        ledger.open(1)
        await until(lambda: ledger.rows("SELECT attempts, last_error FROM webhook_delivery") == [(1, "HTTP 500")])
        ledger.rows("UPDATE webhook_delivery SET attempts = %s, next_attempt_at = now() RETURNING 1", ATTEMPTS - 1)
        await until(lambda: count_deliveries(ledger.connection, "acme").given_up == 1)
    assert len(receiver.told) == 2
    counts = count_deliveries(ledger.connection, "acme")
    assert (counts.pending, counts.delivered, counts.last_error) == (0, 0, "HTTP 500")


async def test_two_watches_share_the_work_and_tell_nothing_twice(ledger: Ledger, sending: Sending) -> None:
    async with receiving() as receiver, sending(), sending():
        ledger.project("acme", receiver)
        incidents = [ledger.open(number) for number in range(60)]
        await until(lambda: delivered(ledger) == 60)
    assert sorted(receiver.ids) == sorted(f"{incident.incident_id}.open" for incident in incidents)


async def test_a_new_address_gets_what_the_old_one_did_not_take(ledger: Ledger, sending: Sending) -> None:
    async with receiving(say(500)) as old, receiving() as new, sending():
        ledger.project("acme", old)
        incident = ledger.open(1)
        await until(lambda: bool(old.told))
        ledger.project("acme", new)
        await until(lambda: delivered(ledger) == 1)
    assert new.ids == [f"{incident.incident_id}.open"]


async def test_a_removed_webhook_gets_nothing_more_even_when_another_is_set(ledger: Ledger, sending: Sending) -> None:
    async with receiving(say(500)) as old, receiving() as new, sending(webhook_first_retry_seconds=0.3):
        ledger.project("acme", old)
        ledger.open(1)
        await until(lambda: bool(ledger.rows("SELECT 1 FROM webhook_delivery WHERE last_error IS NOT NULL")))
        remove_webhook(ledger.connection, "acme")
        ledger.project("acme", new)
        fresh = ledger.open(2)
        await until(lambda: delivered(ledger) == 1)
    assert new.ids == [f"{fresh.incident_id}.open"]
    assert ledger.rows("SELECT last_error FROM webhook_delivery WHERE given_up_at IS NOT NULL") == [
        ("the webhook was removed",)
    ]


async def test_a_post_under_way_is_finished_and_marked_before_the_end(ledger: Ledger, sending: Sending) -> None:
    called, answer = asyncio.Event(), asyncio.Event()

    async def wait(request: web.Request, calls: int) -> web.StreamResponse:
        called.set()
        await answer.wait()
        return await take(request, calls)

    async with receiving(wait) as receiver:
        async with sending(webhook_timeout_seconds=5) as stopping:
            ledger.project("acme", receiver)
            ledger.open(1)
            await called.wait()
            stopping.set()
            answer.set()
        assert delivered(ledger) == 1


async def test_a_lost_connection_to_the_database_is_made_anew(ledger: Ledger, sending: Sending) -> None:
    async with receiving() as receiver, sending():
        ledger.project("acme", receiver)
        ledger.open(1)
        await until(lambda: delivered(ledger) == 1)
        ledger.rows(f"SELECT pg_terminate_backend(pid) {BACKENDS}")
        ledger.open(2)
        await until(lambda: delivered(ledger) == 2)


async def test_a_database_without_tables_ends_the_process(database: str) -> None:
    ledger = Ledger(database, psycopg.Connection.connect(database))
    with pytest.raises(psycopg.errors.UndefinedTable):
        await send_webhooks(ledger.settings(), asyncio.Event())
    ledger.connection.close()


async def test_killed_between_post_and_mark_it_is_told_again_under_the_same_id(ledger: Ledger, tmp_path: Path) -> None:
    environment = ledger.environment(webhook_lease_seconds=1, webhook_timeout_seconds=10, request_seconds=20)
    called, answer = asyncio.Event(), asyncio.Event()

    async def wait(request: web.Request, calls: int) -> web.StreamResponse:
        called.set()
        await answer.wait()
        return await take(request, calls)

    async with receiving(wait) as receiver:
        ledger.project("acme", receiver)
        incident = ledger.open(1)
        async with working(environment, tmp_path) as killed:
            await asyncio.wait_for(called.wait(), 30)
            with psycopg.connect(ledger.uri) as blocker:
                blocker.execute("SELECT FROM webhook_delivery FOR UPDATE")
                answer.set()
                await until(lambda: bool(ledger.rows(f"SELECT 1 {BACKENDS} AND wait_event_type = 'Lock'")))
                killed.kill()
                await killed.wait()
                ledger.rows(f"SELECT pg_terminate_backend(pid, 5000) {BACKENDS}")
        assert delivered(ledger) == 0
        async with working(environment, tmp_path) as follower:
            await until(lambda: delivered(ledger) == 1)
            follower.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(follower.wait(), 15) == 0
    assert receiver.ids == [f"{incident.incident_id}.open"] * 2


@asynccontextmanager
async def working(environment: dict[str, str], folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the worker for the length of a block."""
    with (folder / "watch.log").open("ab") as log:
        command = [sys.executable, "-m", "runledger", "worker", "watch"]
        process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=log)
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def test_set_webhook_keeps_the_time_it_was_first_set_and_makes_a_new_secret(ledger: Ledger) -> None:
    ledger.project("acme")
    first_secret = set_webhook(ledger.connection, "acme", "https://example.com/a")
    set_at = find_webhook(ledger.connection, "acme").created_at
    second_secret = set_webhook(ledger.connection, "acme", "https://example.com/b")
    webhook = find_webhook(ledger.connection, "acme")
    assert (webhook.url, webhook.created_at) == ("https://example.com/b", set_at)
    assert first_secret != second_secret
    assert len(webhook.secret) == 32
    assert repr(webhook.secret) not in repr(webhook)


def test_a_missing_project_or_webhook_is_named(ledger: Ledger) -> None:
    with pytest.raises(NoProjectError, match="runledger project create ghost"):
        set_webhook(ledger.connection, "ghost", "https://example.com/a")
    ledger.project("acme")
    with pytest.raises(NoWebhookError, match="runledger project webhook set acme"):
        find_webhook(ledger.connection, "acme")
    with pytest.raises(NoWebhookError):
        remove_webhook(ledger.connection, "acme")
