from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runledger.producers.building import build
from runledger.producers.exceptions import FailureText, describe_exception, is_recorded, mark_recorded
from runledger.producers.masking import Masker
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


def told_of(message: str) -> FailureText:
    return describe_exception(raised(message), Masker())


def test_a_short_exception_is_told_whole() -> None:
    told = told_of("no such file")
    assert told.summary == "ValueError: no such file"
    assert told.error.startswith("Traceback")
    assert told.error.endswith("ValueError: no such file\n")
    assert told.meta == {"exception": "ValueError"}


def test_of_a_long_exception_the_end_is_kept_and_the_cut_is_told() -> None:
    told = told_of("x" * 9000 + "the end")
    assert len(told.summary) == 2000
    assert len(told.error) == 8000
    assert told.error.endswith("the end\n")
    assert told.meta["summary_characters"] == len("ValueError: ") + 9007
    assert told.meta["error_kept"] == "last 8000 characters"
    assert told.meta["error_characters"] > 9007


@given(st.text(st.characters(codec=None), max_size=3000))
def test_any_message_can_be_recorded(message: str) -> None:
    """NUL characters and lone surrogates too, which no database takes."""
    told = told_of(message)
    data = {"summary": told.summary, "error": told.error, "meta": told.meta}
    event = build(FailureRecorded, data, project="default", run_id=new_run_id())
    assert decode_event(encode_event(event)) == event


def test_a_secret_is_masked_before_the_cut_could_halve_it() -> None:
    """The last 8000 characters begin, the first 2000 end within a key: its half would look like nothing."""
    key = "sk-ant-api03-" + "a1B2" * 20
    trace_cut = told_of(key + "." + "x" * 7950)
    summary_cut = told_of("x" * 1960 + " " + key)
    for told in (trace_cut, summary_cut):
        assert "a1B2" not in told.summary + told.error


def test_masking_a_message_at_its_limit_cuts_nothing_off() -> None:
    told = told_of("a@b.co " * 200 + "the end")
    assert told.summary.endswith("the end")
    assert len(told.error) <= 8000


def test_an_exception_remembers_in_which_runs_it_was_recorded() -> None:
    error, first, second = raised("no"), new_run_id(), new_run_id()
    assert not is_recorded(error, first)
    mark_recorded(error, first)
    mark_recorded(error, second)
    assert is_recorded(error, first)
    assert is_recorded(error, second)
    assert not is_recorded(error, new_run_id())


def test_an_exception_that_takes_no_notes_is_left_alone() -> None:
    class Closed(Exception):
        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(name)

    error = Closed()
    mark_recorded(error, new_run_id())
    assert vars(error) == {}
