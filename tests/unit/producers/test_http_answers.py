from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest

from runledger.producers.http_answers import read_answer

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def results(*statuses: object) -> bytes:
    return orjson.dumps({"results": [{"status": status} for status in statuses]})


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("2", 2), ("0", 0), ("-5", 0), ("9999", 60), ("Mon, 02 Mar 2026 09:00:10 GMT", 10), ("soon", None), (None, None)],
)
def test_retry_after_is_seconds_or_a_date_and_bounded(header: str | None, seconds: float | None) -> None:
    assert read_answer(503, header, b"", 1, NOW).pause_seconds == seconds


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(status: int) -> None:
    assert read_answer(status, None, b"not JSON", 2, NOW).retry == {0, 1}


@pytest.mark.parametrize(("status", "final"), [(400, True), (415, True), (422, True), (401, False), (403, False)])
def test_what_no_repetition_mends_is_final(status: int, final: bool) -> None:
    answer = read_answer(status, None, b"{}", 1, NOW)
    assert answer.retry == set()
    (failure,) = answer.outcomes
    assert failure is not None
    assert failure.final == final


def test_each_event_has_its_own_answer() -> None:
    answer = read_answer(503, "1", results(200, 503, 422), 3, NOW)
    assert answer.retry == {1}
    assert answer.outcomes[0] is None
    assert [failure.final for failure in answer.outcomes[1:] if failure is not None] == [False, True]
    assert answer.pause_seconds == 1


@pytest.mark.parametrize(
    "body", [results(200), results("?", 200), b"[]", b'{"results": 7}', b'{"results": [1, 2]}', b""]
)
def test_a_success_that_does_not_name_every_event_is_none(body: bytes) -> None:
    assert None not in read_answer(200, None, body, 2, NOW).outcomes


def test_a_key_may_be_mended_but_an_event_of_another_project_may_not() -> None:
    assert [failure and failure.final for failure in read_answer(403, None, b"{}", 1, NOW).outcomes] == [False]
    assert [failure and failure.final for failure in read_answer(207, None, results(403), 1, NOW).outcomes] == [True]


def test_too_large_splits_a_batch_but_not_an_event() -> None:
    assert read_answer(413, None, b"{}", 2, NOW).split
    (failure,) = read_answer(413, None, b"{}", 1, NOW).outcomes
    assert failure is not None
    assert failure.final
