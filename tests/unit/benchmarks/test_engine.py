"""The stage that does the peers' task on our engine."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from benchmarks.engine import SumStage
from runledger.processors.records import Changes, Headers
from runledger.processors.settings import ProcessorSettings
from runledger.schemas.codec import encode
from runledger.schemas.errors import DecodeError

_AT = datetime(2030, 1, 2, tzinfo=UTC)


class _Record:
    offset = 0
    timestamp = 0
    headers: Headers = ()

    def __init__(self, key: bytes | None, value: bytes | None) -> None:
        self.key = key
        self.value = value


def test_a_sum_grows_and_comes_back_from_its_changelog() -> None:
    stage = SumStage(ProcessorSettings(), "source")
    changes: Changes[tuple[int, int]] = Changes()

    stage.apply((5, 1), _Record(b"k", b'{"data": {"token_usage": {"input_tokens": 7}}}'), _AT, changes)

    assert changes.snapshots == {b"k": (12, 2)}
    assert stage.restore(encode((12, 2))) == (12, 2)


def test_an_event_without_usage_is_counted() -> None:
    changes: Changes[tuple[int, int]] = Changes()

    SumStage(ProcessorSettings(), "source").apply(None, _Record(b"k", b'{"data": {}}'), _AT, changes)

    assert changes.snapshots == {b"k": (0, 1)}


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(DecodeError):
        SumStage(ProcessorSettings(), "source").apply(None, _Record(b"k", b"{"), _AT, Changes())
