"""Sampled stacks, told by part."""

from __future__ import annotations

from benchmarks.stacks import OTHERS, micros, shares

_PARTS = (("read", ("schemas/quick",)), ("reduce", ("processors/ledger",)), ("loop", ("processors/",)))
_STACKS = """\
main (app.py:1);fold (runledger/processors/fold.py:10);read (runledger/schemas/quick_events.py:9) 30
main (app.py:1);fold (runledger/processors/fold.py:10);apply (runledger/processors/ledger.py:7);new (uuid.py:3) 50
main (app.py:1);fold (runledger/processors/fold.py:12) 10
main (app.py:1) 10
"""


def test_a_sample_counts_for_the_innermost_part_it_came_through() -> None:
    assert shares(_STACKS, _PARTS) == {"read": 0.3, "reduce": 0.5, "loop": 0.1, OTHERS: 0.1}


def test_samples_of_the_load_itself_are_left_out() -> None:
    stacks = _STACKS + "main (app.py:1);events (benchmarks/load.py:5);read (runledger/schemas/quick_events.py:9) 900\n"

    assert shares(stacks, _PARTS, leave_out=("benchmarks/load",)) == shares(_STACKS, _PARTS)


def test_nothing_sampled_tells_nothing() -> None:
    assert shares("", _PARTS) == {}


def test_the_interpreters_time_is_split_and_librdkafkas_told_beside_it() -> None:
    told = micros({"read": 0.25, "reduce": 0.75}, interpreter=20.0, native=3.0)

    assert told["read"] == 5.0
    assert told["reduce"] == 15.0
    assert sum(told.values()) == 23.0
