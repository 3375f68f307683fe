from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from runledger.integrations import model_calls
from runledger.integrations.model_calls import ModelCall, Owner
from runledger.producers.masking import Masker
from runledger.producers.open_run import OpenRun
from runledger.producers.settings import ProducerSettings
from runledger.producers.tellings import record_of
from runledger.schemas.codec import decode_event
from runledger.schemas.run_events import AnyRunEvent, FailureRecorded, RunEnded, RunStarted, UsageReported

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
SETTINGS = ProducerSettings()
OWNER = Owner("acme", "helper")
RUN = OpenRun("other", "sage", UUID(int=7))
CALL = ModelCall(
    library="openai",
    kind="chat completion",
    model="m",
    run=None,
    usage={"input_tokens": 3},
    started_at=AT,
    call_id="id",
    prompt="p",
    ended_at=AT + timedelta(seconds=2),
)


def events_of(settings: ProducerSettings, owner: Owner, call: ModelCall) -> list[AnyRunEvent]:
    """The events of a call, as a reader finds them."""
    told = model_calls.events_of(settings, owner, call)
    return [decode_event(record_of(event, Masker()).value) for event in told]


def test_a_call_of_a_run_is_its_usage() -> None:
    (usage,) = events_of(SETTINGS, OWNER, replace(CALL, run=RUN))
    assert isinstance(usage, UsageReported)
    assert (usage.project_key, usage.run_id, usage.agent_id) == ("other", UUID(int=7), "sage")
    told = usage.data.token_usage
    assert (told.input_tokens, told.output_tokens, told.llm_calls, told.model) == (3, None, 1, "m")
    assert told.prompt_preview == "p"
    assert usage.occurred_at == CALL.ended_at


def test_a_call_without_a_run_is_one() -> None:
    started, usage, ended = events_of(SETTINGS, OWNER, CALL)
    assert isinstance(started, RunStarted)
    assert isinstance(usage, UsageReported)
    assert isinstance(ended, RunEnded)
    assert {event.run_id for event in (started, usage, ended)} == {started.run_id}
    assert (started.project_key, started.agent_id, started.occurred_at) == ("acme", "helper", AT)
    assert (ended.data.status, ended.data.summary) == ("completed", "chat completion with m")


def test_a_failed_call_is_a_failure_and_what_was_used_all_the_same() -> None:
    failed = replace(CALL, run=RUN, error=ValueError("no"))
    usage, failure = events_of(SETTINGS, OWNER, failed)
    assert isinstance(usage, UsageReported)
    assert isinstance(failure, FailureRecorded)
    assert failure.data.summary == "ValueError: no"
    assert [type(event) for event in events_of(SETTINGS, OWNER, replace(failed, usage={}))] == [FailureRecorded]
    ended = events_of(SETTINGS, OWNER, replace(failed, run=None))[-1]
    assert isinstance(ended, RunEnded)
    assert ended.data.status == "failed"


@pytest.mark.parametrize("run", [None, RUN])
def test_the_same_call_told_twice_has_the_same_ids(run: OpenRun | None) -> None:
    call = replace(CALL, run=run, error=ValueError("no"))
    first, second = events_of(SETTINGS, OWNER, call), events_of(SETTINGS, OWNER, call)
    ids = [(event.run_id, event.event_id) for event in first]
    assert ids == [(event.run_id, event.event_id) for event in second]
    assert len(set(ids)) == len(first)


@pytest.mark.parametrize(
    "other",
    [
        replace(CALL, run=RUN, call_id="another"),
        replace(CALL, run=RUN, library="litellm"),
        replace(CALL, run=OpenRun("other", "sage", UUID(int=8))),
        replace(CALL, run=OpenRun("third", "sage", UUID(int=7))),
    ],
)
def test_other_calls_have_other_ids(other: ModelCall) -> None:
    (usage,), (another,) = events_of(SETTINGS, OWNER, replace(CALL, run=RUN)), events_of(SETTINGS, OWNER, other)
    assert usage.event_id != another.event_id


def test_a_call_id_may_be_anything() -> None:
    (usage,) = events_of(SETTINGS, OWNER, replace(CALL, run=RUN, call_id="a b\n\x00ü" * 999, model="m" * 999))
    assert isinstance(usage, UsageReported)
    assert UUID(usage.event_id).version == 5
    assert usage.data.token_usage.model == "m" * 255


def test_a_run_named_by_its_id_alone_gets_no_agent() -> None:
    (usage,) = events_of(SETTINGS, OWNER, replace(CALL, run=OpenRun("other", "", UUID(int=7))))
    assert usage.agent_id is None
