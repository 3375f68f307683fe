from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runledger.producers.building import build
from runledger.producers.exceptions import describe_exception
from runledger.schemas.codec import decode_event, encode_event
from runledger.schemas.identifiers import new_run_id
from runledger.schemas.run_events import FailureRecorded


def fail(message: str) -> None:
    raise ValueError(message)


def raised(message: str) -> Exception:
    try:
        fail(message)
    except ValueError as error:
        return error
    raise AssertionError("it did not fail")


def test_a_short_exception_is_told_whole() -> None:
    told = describe_exception(raised("no such file"))
    assert told.summary == "ValueError: no such file"
    assert told.error.startswith("Traceback")
    assert told.error.endswith("ValueError: no such file\n")
    assert told.meta == {"exception": "ValueError"}


def test_of_a_long_exception_the_end_is_kept_and_the_cut_is_told() -> None:
    told = describe_exception(raised("x" * 9000 + "the end"))
    assert len(told.summary) == 2000
    assert len(told.error) == 8000
    assert told.error.endswith("the end\n")
    assert told.meta["summary_characters"] == len("ValueError: ") + 9007
    assert told.meta["error_kept"] == "last 8000 characters"
    assert told.meta["error_characters"] > 9007


@given(st.text(st.characters(codec=None), max_size=3000))
def test_any_message_can_be_recorded(message: str) -> None:
    """NUL characters and lone surrogates too, which no database takes."""
    told = describe_exception(raised(message))
    data = {"summary": told.summary, "error": told.error, "meta": told.meta}
    event = build(FailureRecorded, data, project="default", run_id=new_run_id())
    assert decode_event(encode_event(event)) == event
