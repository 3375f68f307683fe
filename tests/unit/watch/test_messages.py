"""Messages against the independent library that receivers are told to use."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from runledger.access.webhooks import secret_text
from runledger.watch.messages import Delivery, Message, headers, incident_message, trial_message

SECRET = bytes(range(32))
OPEN = Delivery(
    incident_id=UUID("018f3c1e-0000-7000-8000-000000000001"),
    state="open",
    project_key="acme",
    attempts=1,
    agent_id="Säge, nightly",
    kind="failing",
    threshold=3,
    run_id=UUID("018f3c1e-0000-7000-8000-000000000002"),
    opened_at=datetime(2026, 3, 1, 12, 0, 0, 250000, tzinfo=UTC),
    recovered_at=None,
    recovered_run_id=None,
    url="https://example.com/secret-path",
    secret=SECRET,
)
RECOVERED = replace(
    OPEN,
    state="recovered",
    recovered_at=datetime(2026, 3, 1, 13, tzinfo=UTC),
    recovered_run_id=UUID("018f3c1e-0000-7000-8000-000000000003"),
)


def test_an_incident_is_told_with_all_its_facts() -> None:
    message = incident_message(RECOVERED)
    assert message.message_id == "018f3c1e-0000-7000-8000-000000000001.recovered"
    assert orjson.loads(message.body) == {
        "type": "incident.recovered",
        "timestamp": "2026-03-01T13:00:00Z",
        "incident_id": "018f3c1e-0000-7000-8000-000000000001",
        "project_key": "acme",
        "agent_id": "Säge, nightly",
        "kind": "failing",
        "state": "recovered",
        "threshold": 3,
        "run_id": "018f3c1e-0000-7000-8000-000000000002",
        "opened_at": "2026-03-01T12:00:00.250000Z",
        "recovered_at": "2026-03-01T13:00:00Z",
        "recovered_run_id": "018f3c1e-0000-7000-8000-000000000003",
    }


def test_a_repeat_is_told_in_the_same_words_even_after_the_incident_recovered() -> None:
    again = replace(RECOVERED, state="open", attempts=7)
    assert incident_message(again) == incident_message(OPEN)


def test_a_delivery_never_shows_its_address_or_secret() -> None:
    assert "secret-path" not in repr(OPEN)
    assert repr(SECRET) not in repr(OPEN)


@given(body=st.text(max_size=200), key=st.binary(min_size=24, max_size=64))
def test_the_standard_library_of_receivers_accepts_the_signature(body: str, key: bytes) -> None:
    message = Message("id.open", orjson.dumps({"text": body}))
    signed = headers(message, key, int(time.time()))
    assert Webhook(secret_text(key)).verify(message.body, signed) == {"text": body}


@pytest.mark.parametrize("changed", ["body", "id", "time", "secret", "late"])
def test_anything_changed_on_the_way_is_refused(changed: str) -> None:
    message = trial_message("acme", UUID(int=1), OPEN.opened_at)
    now = int(time.time()) - (3600 if changed == "late" else 0)
    signed = headers(message, SECRET, now)
    body = message.body + b" " if changed == "body" else message.body
    if changed == "id":
        signed["webhook-id"] = "another"
    if changed == "time":
        signed["webhook-timestamp"] = str(now + 1)
    key = SECRET[::-1] if changed == "secret" else SECRET
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_text(key)).verify(body, signed)
