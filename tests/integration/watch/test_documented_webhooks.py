"""docs/webhooks.md says what is so: its payload is what comes, and its own check accepts it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from aiohttp import web

from runledger.watch.schedule import ATTEMPTS, pause_after
from tests import documents
from tests.integration.watch.conftest import Ledger, Sending, until
from tests.integration.watch.receiver import receiving, take

pytestmark = pytest.mark.integration

PAGE = documents.text("docs/webhooks.md")


async def test_the_documented_check_accepts_what_is_posted_and_nothing_changed(
    ledger: Ledger, sending: Sending
) -> None:
    names: dict[str, Any] = {}
    exec(compile(documents.example("docs/webhooks.md", "python"), "docs/webhooks.md", "exec"), names)  # noqa: S102  # the page's own example
    check: Callable[[str, dict[str, str], bytes], str] = names["check"]
    posted: list[tuple[dict[str, str], bytes]] = []

    async def keep(request: web.Request, calls: int) -> web.StreamResponse:
        posted.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return await take(request, calls)

    async with receiving(keep) as receiver, sending():
        ledger.project("acme", receiver)
        incident = ledger.recover(ledger.open(7))
        await until(lambda: len(posted) == 2)
    assert receiver.secret is not None
    assert [check(receiver.secret, *each) for each in posted] == receiver.ids
    assert receiver.ids == [f"{incident.incident_id}.open", f"{incident.incident_id}.recovered"]
    headers, body = posted[0]
    for changed in (
        (headers, body + b" "),
        (headers | {"webhook-id": "another"}, body),
        (headers | {"webhook-timestamp": "1"}, body),
        (headers | {"webhook-signature": "v1,AAAA"}, body),
    ):
        with pytest.raises(ValueError, match=r"too old|not from Runledger"):
            check(receiver.secret, *changed)
    documented = orjson.loads(documents.example("docs/webhooks.md", "json"))
    assert [list(told) for _, told in receiver.told] == [list(documented)] * 2
    assert {name for name, _ in re.findall(r"`(incident\.\w+)`|(webhook\.test)", PAGE)} - {""} == {
        told["type"] for _, told in receiver.told
    }


def test_the_documented_schedule_is_the_real_one() -> None:
    pauses = [pause_after(attempt, timedelta(seconds=5), 0.5) for attempt in range(1, ATTEMPTS)]
    assert [round(pause.total_seconds()) for pause in pauses if pause is not None][:9] == [
        5, 15, 45, 135, 405, 1215, 3645, 10935, 21600
    ]  # fmt: skip
    assert "5 s, 15 s,\n  45 s, 2 min, 7 min, 20 min, 1 h, 3 h, then 6 h" in PAGE
    assert f"{ATTEMPTS} attempts in about 3 days" in PAGE
