"""The events every contestant reads."""

from __future__ import annotations

from collections import Counter

import orjson
import pytest

from benchmarks.load import Load
from runledger.schemas.codec import decode_event


def test_every_record_is_a_valid_event_under_its_own_run_s_key() -> None:
    load = Load(60, 12)

    kinds = Counter(type(decode_event(record.value, record.key)).__name__ for record in load.records)

    assert kinds == {"RunStarted": 12, "UsageReported": 36, "RunEnded": 12}


@pytest.mark.parametrize("count", [1, 7, 12, 30, 59, 60])
def test_totals_are_what_the_records_say(count: int) -> None:
    load = Load(60, 12)
    recount: dict[str, tuple[int, int]] = {}
    for record in load.records[:count]:
        usage = orjson.loads(record.value)["data"].get("token_usage") or {"input_tokens": 0}
        tokens, events = recount.get(record.key.decode(), (0, 0))
        recount[record.key.decode()] = tokens + usage["input_tokens"], events + 1

    assert load.totals(count) == recount


def test_a_load_is_the_same_each_time_but_for_the_hour() -> None:
    first, second = Load(60, 12), Load(60, 12)

    assert [record.event_id for record in first.records] == [record.event_id for record in second.records]
    assert Load(60, 12, seed=2).records[0].key != first.records[0].key


def test_runs_that_do_not_take_turns_evenly_are_refused() -> None:
    with pytest.raises(ValueError, match="same number"):
        Load(61, 12)
