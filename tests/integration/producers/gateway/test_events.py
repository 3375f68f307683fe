"""CloudEvents over HTTP, in the three modes of its HTTP binding, made by the cloudevents SDK."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from runledger.schemas.run_events import RunEnded, RunLogged
from runledger.schemas.settings import ConnectionSettings
from tests.integration.producers.events import read_run_events
from tests.integration.producers.gateway.serving import Caller

pytestmark = pytest.mark.integration
STRUCTURED = {"Content-Type": "application/cloudevents+json; charset=UTF-8"}
BATCHED = {"Content-Type": "application/cloudevents-batch+json"}


def ended(**other: Any) -> dict[str, Any]:  # noqa: ANN401  # any attribute
    """A valid event."""
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "tests",
        "type": "runledger.run.ended.v1",
        "subject": str(uuid4()),
        "data": {"status": "completed"},
        **other,
    }


def test_a_structured_event_is_taken_as_it_is(acme: Caller, settings: ConnectionSettings) -> None:
    sent = ended(time="2026-03-02T09:00:00Z", projectkey="acme", agentid="sage")
    answer = acme.send("events", json=sent, headers=STRUCTURED)
    assert answer.status_code == 200
    assert answer.json()["results"] == [
        {
            "index": 0,
            "id": sent["id"],
            "run_id": sent["subject"],
            "outcome": "delivered",
            "status": 200,
            "error": None,
        }
    ]
    (event,) = [event for event in read_run_events(settings) if event.event_id == sent["id"]]
    assert isinstance(event, RunEnded)
    assert event.model_dump(mode="json", by_alias=True, include=set(RunEnded.model_fields) - {"data"}) == {
        **{name: value for name, value in sent.items() if name != "data"},
        "datacontenttype": "application/json",
    }


def test_a_binary_event_has_its_attributes_in_headers(acme: Caller, settings: ConnectionSettings) -> None:
    event_id = str(uuid4())
    headers = {
        "Content-Type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": event_id,
        "ce-source": "tests",
        "ce-type": "runledger.run.logged.v1",
        "ce-agentid": "Zo%C3%AB",
    }
    answer = acme.send("events", json={"status": "partial"}, headers=headers)
    assert answer.status_code == 200
    (event,) = [event for event in read_run_events(settings) if event.event_id == event_id]
    assert isinstance(event, RunLogged)
    assert (event.agent_id, event.project_key, event.data.status) == ("Zoë", "acme", "partial")
    assert UUID(answer.json()["results"][0]["run_id"]) == event.run_id


def test_a_batch_is_answered_event_by_event(acme: Caller, settings: ConnectionSettings) -> None:
    events = [ended(), ended(type="unknown"), ended(projectkey="other"), 7, ended(data={"status": "x"}), ended()]
    answer = acme.send("events", json=events, headers=BATCHED)
    assert answer.status_code == 207
    results = answer.json()["results"]
    assert [result["index"] for result in results] == list(range(6))
    assert [result["status"] for result in results] == [200, 422, 403, 422, 422, 200]
    assert [(result["error"] or {}).get("field") for result in results] == [
        None,
        "type",
        None,
        "body",
        "data.status",
        None,
    ]
    delivered = {event.event_id for event in read_run_events(settings)}
    assert [isinstance(sent, dict) and sent["id"] in delivered for sent in events] == [True, *[False] * 4, True]


def test_a_batch_that_is_delivered_whole_is_a_plain_success(acme: Caller) -> None:
    answer = acme.send("events", json=[ended() for _ in range(1000)], headers=BATCHED)
    assert answer.status_code == 200
    assert {result["outcome"] for result in answer.json()["results"]} == {"delivered"}


def test_a_batch_may_take_8_mib(acme: Caller) -> None:
    event = ended(data={"status": "completed", "meta": {"text": "x" * 250_000}})
    assert acme.send("events", json=[event] * 30, headers=BATCHED).status_code == 200
    assert acme.send("events", json=[event] * 35, headers=BATCHED).status_code == 413


@pytest.mark.parametrize("count", [0, 1001])
def test_a_batch_holds_1_to_1000_events(acme: Caller, count: int) -> None:
    answer = acme.send("events", json=[ended()] * count, headers=BATCHED)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "body")


def test_a_batch_of_refused_events_is_no_success(acme: Caller) -> None:
    answer = acme.send("events", json=[ended(projectkey="other")] * 2, headers=BATCHED)
    assert (answer.status_code, len(answer.json()["results"])) == (403, 2)


@pytest.mark.parametrize(
    ("event", "status", "field"),
    [
        ({name: value for name, value in ended().items() if name != "id"}, 422, "id"),
        ({name: value for name, value in ended().items() if name != "specversion"}, 422, "specversion"),
        ({name: value for name, value in ended().items() if name != "subject"}, 422, "subject"),
        (ended(specversion="0.3"), 422, "specversion"),
        (ended(type="runledger.run.timed_out.v1", data={"last_version": 1}), 422, "type"),
        (ended(time="yesterday"), 422, "time"),
        (ended(projectkey="other"), 403, None),
        (ended(projectkey=7), 422, "projectkey"),
        (ended(type="runledger.run.erased.v1", data={}), 403, None),
    ],
)
def test_an_event_alone_gets_its_own_status(
    acme: Caller, event: dict[str, Any], status: int, field: str | None
) -> None:
    answer = acme.send("events", json=event, headers=STRUCTURED)
    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)


def test_operators_events_need_an_operators_key(url: str, keys: dict[str, str]) -> None:
    erased = ended(type="runledger.run.erased.v1", data={"reason": "asked for"})
    with Caller(url, keys["admin"]) as admin:
        assert admin.send("events", json=erased, headers=STRUCTURED).status_code == 200
