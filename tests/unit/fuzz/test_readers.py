"""The fuzzers that need no server, in their short form; `make fuzz` runs them for long."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fuzz import records, texts
from tests.fuzz.running import Fuzzer, run_briefly

_FUZZERS = [*records.fuzzers(), *texts.fuzzers()]


@pytest.mark.parametrize("fuzzer", _FUZZERS, ids=lambda fuzzer: fuzzer.name)
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")  # reports of large inputs are large
def test_hostile_input_is_read_or_refused_in_documented_words(fuzzer: Fuzzer[Any]) -> None:
    run_briefly(fuzzer, 150)


def test_what_once_was_found_stays_mended() -> None:
    records.check_kept()
    texts.check_kept()
