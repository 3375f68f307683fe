from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from runledger.producers.building import build
from runledger.producers.importers import read_events
from runledger.producers.masking import Masker, mask_event
from runledger.producers.masking.events import JSON_FIELDS, KEPT_FIELDS, TEXT_LIMITS
from runledger.schemas import run_events
from runledger.schemas.codec import decode_event, encode_event
from runledger.schemas.fingerprint import fingerprint
from runledger.schemas.run_events import (
    AnyRunEvent,
    FailureRecorded,
    FailureResolved,
    RunEnded,
    RunErased,
    RunLogged,
    RunRecorded,
    RunStarted,
    UsageReported,
)
from runledger.schemas.usage import TokenUsage

MASKER = Masker()
MAIL = "to alice@example.com"
MASKED = "to [masked:email]"
DATA = Path(run_events.__file__).parents[1] / "data"


def event_of(event_type: type[Any], **data: object) -> Any:  # noqa: ANN401  # the event type's own
    return build(event_type, data, project="acme", run_id=UUID(int=7), agent="bot@acme.example", event_id="e@x.example")


@pytest.mark.parametrize(
    ("event_type", "data", "masked"),
    [
        (RunStarted, {"summary": MAIL, "meta": {"a": [MAIL]}}, {"summary": MASKED, "meta": {"a": [MASKED]}}),
        (
            UsageReported,
            {"token_usage": {"input_tokens": 3, "prompt_preview": MAIL}, "traces": [{"a": MAIL}, {"b": 1}]},
            {"token_usage": {"input_tokens": 3, "prompt_preview": MASKED}, "traces": [{"a": MASKED}, {"b": 1}]},
        ),
        (
            RunEnded,
            {"status": "failed", "summary": MAIL, "meta": {"password": "x1"}, "traces": [{"a": MAIL}]},
            {
                "status": "failed",
                "summary": MASKED,
                "meta": {"password": "[masked:password]"},
                "traces": [{"a": MASKED}],
            },
        ),
        (
            FailureRecorded,
            {
                "summary": MAIL,
                "error": MAIL,
                "context": {"a": MAIL},
                "meta": {"b": MAIL},
                "task_id": "alice@example.com",
            },
            {
                "summary": MASKED,
                "error": MASKED,
                "context": {"a": MASKED},
                "meta": {"b": MASKED},
                "task_id": "alice@example.com",
            },
        ),
        (
            RunRecorded,
            {"summary": MAIL, "ticket": MAIL, "meta": {"a": MAIL}},
            {"summary": MASKED, "ticket": MASKED, "meta": {"a": MASKED}},
        ),
        (
            RunLogged,
            {"status": "success", "actions_taken": {"summary": MAIL, "n": 1}},
            {"status": "success", "actions_taken": {"summary": MASKED, "n": 1}},
        ),
        (FailureResolved, {"fingerprint": "0" * 64, "note": MAIL}, {"fingerprint": "0" * 64, "note": MASKED}),
        (RunErased, {"reason": MAIL}, {"reason": MASKED}),
    ],
)
def test_every_text_of_an_event_is_masked_and_its_ids_stay(
    event_type: type[Any], data: dict[str, Any], masked: dict[str, Any]
) -> None:
    event = event_of(event_type, **data)
    expected = event_of(event_type, **masked)
    expected = expected.model_copy(update={"occurred_at": event.occurred_at})
    assert mask_event(event, MASKER) == expected
    assert event.data == event_of(event_type, **data).data
    assert mask_event(mask_event(event, MASKER), MASKER) == expected


def test_an_event_without_secrets_is_returned_itself() -> None:
    event = event_of(UsageReported, token_usage={"input_tokens": 3, "prompt_preview": "hello"}, traces=[{"tool": "ls"}])
    assert mask_event(event, MASKER) is event


def _texts(model: type[BaseModel]) -> set[str]:
    """Fields that can hold free text, or values that can."""
    closed = {"status", "detached", "last_version", "token_usage", "traces"}
    return {
        name for name in model.model_fields if name not in closed and not name.endswith(("_tokens", "_usd", "_calls"))
    }


@pytest.mark.parametrize("payload", [*run_events._Payload.__subclasses__(), TokenUsage])
def test_each_field_of_text_is_either_masked_or_known_to_stay(payload: type[BaseModel]) -> None:
    """A field that is added to the model must be added to one of the lists."""
    assert _texts(payload) <= TEXT_LIMITS.keys() | JSON_FIELDS | KEPT_FIELDS


def valid(event: AnyRunEvent) -> bool:
    return decode_event(encode_event(event)) == event


def test_a_masked_event_is_within_every_limit_it_was_within() -> None:
    crowd = "a@b.co "
    meta = {"to": ["a@b.co"] * 29_000}
    for event in (
        event_of(RunRecorded, summary=(crowd * 300)[:2000], ticket=(crowd * 10)[:64], meta=meta),
        event_of(FailureRecorded, summary=(crowd * 300)[:2000], error=(crowd * 1200)[:8000], context=meta),
        event_of(UsageReported, token_usage={"prompt_preview": (crowd * 300)[:2000]}),
        event_of(UsageReported, token_usage={}, traces=[{"to": ["a@b.co"] * 480}] * 200),
    ):
        assert valid(event)
        masked = mask_event(event, MASKER)
        assert b"a@b.co" not in encode_event(masked)
        assert valid(masked)


def test_failures_that_differ_only_in_their_secrets_still_group() -> None:
    def masked_fingerprint(secret: str, mail: str) -> str:
        error = f"HTTPError: 401 for {mail}\n  password={secret}\nAuthorization: Bearer {secret}"
        masked = mask_event(event_of(FailureRecorded, summary="refused", error=error), MASKER)
        assert isinstance(masked, FailureRecorded)
        assert secret not in str(masked.data.error)
        return fingerprint("acme", masked.data.summary, masked.data.error)

    assert masked_fingerprint("hunter2abc", "alice@example.com") == masked_fingerprint("0a1B2c3d4e", "bo@x.org")


@pytest.mark.parametrize("name", ["airline_runs.jsonl", "handmade_runs.jsonl"])
def test_the_shipped_runs_stay_as_they_are(name: str) -> None:
    events = list(read_events(DATA / name))
    assert len(events) > 40
    for event in events:
        assert mask_event(event, MASKER) is event
