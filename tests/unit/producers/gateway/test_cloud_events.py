from __future__ import annotations

from typing import Any

import pytest
from starlette.datastructures import Headers

from runledger.access.http.errors import HttpError
from runledger.access.keys import Principal
from runledger.producers.gateway.cloud_events import BATCHED, BINARY, STRUCTURED, documents_of, read_event
from runledger.schemas.identifiers import run_id_of

PRINCIPAL = Principal("acme", frozenset({"emit"}))
LOGGED: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e",
    "source": "s",
    "type": "runledger.run.logged.v1",
    "agentid": "a",
    "data": {"status": "success"},
}


def test_a_structured_event_is_one_document() -> None:
    assert documents_of(STRUCTURED, Headers(), LOGGED) == [LOGGED]


def test_a_binary_events_attributes_are_decoded_from_its_headers() -> None:
    headers = Headers({"ce-id": "e", "ce-agentid": "Zo%C3%AB", "content-type": BINARY, "x-id": "no"})
    (document,) = documents_of(BINARY, headers, {"status": "success"})
    assert document == {"id": "e", "agentid": "Zoë", "datacontenttype": BINARY, "data": {"status": "success"}}


@pytest.mark.parametrize("body", [{}, [], "x", None, [LOGGED] * 1001])
def test_a_batch_is_an_array_of_1_to_1000(body: object) -> None:
    with pytest.raises(HttpError) as raised:
        documents_of(BATCHED, Headers(), body)
    assert (raised.value.status, raised.value.field) == (422, "body")


def test_what_the_credential_and_the_clock_know_is_filled_in() -> None:
    event = read_event(PRINCIPAL, LOGGED)
    assert event.project_key == "acme"
    assert event.run_id == run_id_of("acme", "e")
    assert event.occurred_at.tzinfo is not None


def test_fields_of_a_newer_sdk_are_left_out() -> None:
    known = {**LOGGED, "time": "2026-03-02T09:00:00Z"}
    newer = {**known, "shard": 3, "data": {"status": "success", "mood": "calm"}}
    assert read_event(PRINCIPAL, newer) == read_event(PRINCIPAL, known)


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type"])
def test_what_cloudevents_requires_is_required(name: str) -> None:
    with pytest.raises(HttpError) as raised:
        read_event(PRINCIPAL, {given: value for given, value in LOGGED.items() if given != name})
    assert (raised.value.status, raised.value.field) == (422, name)


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"id": 7}, "id"),
        ({"id": ""}, "id"),
        ({"id": "a b"}, "id"),
        ({"type": ["x"]}, "type"),
        ({"subject": "x"}, "subject"),
        ({"data": None}, "data"),
        ({"data": {"status": "x"}}, "data.status"),
        ({"agentid": " "}, "agentid"),
        ({"projectkey": None}, "projectkey"),
    ],
)
def test_the_offending_attribute_is_named(other: dict[str, Any], field: str) -> None:
    with pytest.raises(HttpError) as raised:
        read_event(PRINCIPAL, LOGGED | other)
    assert (raised.value.status, raised.value.field) == (422, field)
    assert not raised.value.message.startswith(f"{field}: {field}:")
