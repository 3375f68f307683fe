"""`runledger project webhook` and `publish`, as an operator types them."""

from __future__ import annotations

import asyncio
import json
import os
import sys

import pytest
from standardwebhooks.webhooks import Webhook

from tests.integration.watch.conftest import Ledger
from tests.integration.watch.receiver import receiving, say

pytestmark = pytest.mark.integration


async def runledger(ledger: Ledger, *arguments: str) -> tuple[int, str, str]:
    """Return (exit code, stdout, stderr) of a command on the test's database."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "runledger", *arguments),
        env=os.environ | {"RUNLEDGER_POSTGRES": ledger.uri, "RUNLEDGER_KAFKA": "127.0.0.1:1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_a_webhook_is_set_tried_shown_and_removed(ledger: Ledger) -> None:
    ledger.project("acme")
    async with receiving() as receiver:
        code, out, _ = await runledger(ledger, "project", "webhook", "set", "acme", receiver.url, "--json")
        assert code == 0
        told = json.loads(out)
        Webhook(told["secret"])
        receiver.secret = told["secret"]
        assert (told["project"], told["url"]) == ("acme", receiver.url)

        code, out, _ = await runledger(ledger, "project", "webhook", "test", "acme")
        assert code == 0
        ((message_id, body),) = receiver.told
        assert out == f"delivered as {message_id}\n"
        assert (body["type"], body["project_key"]) == ("webhook.test", "acme")

        receiver.behave = say(503)
        code, out, err = await runledger(ledger, "project", "webhook", "test", "acme")
        assert (code, out) == (1, "")
        assert "HTTP 503" in err

        code, out, _ = await runledger(ledger, "project", "webhook", "show", "acme", "--json")
        shown = json.loads(out)
        assert shown["url"] == receiver.url
        assert shown["deliveries"] == {
            "delivered": 0, "pending": 0, "given_up": 0, "last_delivered_at": None, "last_error": None
        }  # fmt: skip
        assert "whsec_" not in out
        assert told["secret"] not in (await runledger(ledger, "project", "webhook", "show", "acme"))[1]

    assert (await runledger(ledger, "project", "webhook", "remove", "acme"))[0] == 0
    code, _, err = await runledger(ledger, "project", "webhook", "show", "acme")
    assert (code, err) == (
        5, "runledger: project 'acme' has no webhook: runledger project webhook set acme URL\n"
    )  # fmt: skip


async def test_a_wrong_address_or_project_is_one_line_and_an_exit_code(ledger: Ledger) -> None:
    code, _, err = await runledger(ledger, "project", "webhook", "set", "acme", "https://u:hunter2@example.com")
    assert code == 1
    assert err.count("\n") == 1
    assert "hunter2" not in err
    code, _, err = await runledger(ledger, "project", "webhook", "set", "ghost", "https://example.com")
    assert (code, err) == (5, "runledger: there is no project 'ghost': runledger project create ghost\n")


async def test_publish_and_unpublish_decide(ledger: Ledger) -> None:
    ledger.project("acme")
    for command, is_public in (("publish", True), ("unpublish", False)):
        assert (await runledger(ledger, "project", command, "acme"))[0] == 0
        assert ledger.rows("SELECT is_public FROM project WHERE project_key = 'acme'") == [(is_public,)]
    code, _, err = await runledger(ledger, "project", "publish", "ghost")
    assert (code, err) == (5, "runledger: there is no project 'ghost': runledger project create ghost\n")
