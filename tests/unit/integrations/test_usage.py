from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from runledger.integrations.usage import usage_fields
from runledger.schemas.usage import TokenUsage

CHAT = {
    "prompt_tokens": 10,
    "completion_tokens": 6,
    "total_tokens": 16,
    "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
    "completion_tokens_details": {"reasoning_tokens": 5},
}
RESPONSE = {
    "input_tokens": 10,
    "output_tokens": 6,
    "total_tokens": 16,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
    "output_tokens_details": {"reasoning_tokens": 5},
}
EXPECTED = TokenUsage(
    input_tokens=10, output_tokens=6, total_tokens=16, cache_read_tokens=4, cache_write_tokens=2, reasoning_tokens=5
)


def as_object(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Give the same with attributes instead of keys."""
    return SimpleNamespace(**{k: as_object(v) for k, v in value.items()}) if isinstance(value, dict) else value


@pytest.mark.parametrize("usage", [CHAT, RESPONSE, as_object(CHAT), as_object(RESPONSE)])
def test_both_spellings_are_read_from_mappings_and_objects(usage: object) -> None:
    assert TokenUsage.model_validate(usage_fields(usage)) == EXPECTED


def test_the_cache_fields_beside_the_details_are_read_too() -> None:
    usage = {"prompt_tokens": 9, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 3}
    assert usage_fields(usage) == {"input_tokens": 9, "cache_read_tokens": 4, "cache_write_tokens": 3}


def test_zero_is_told_beside_other_counts() -> None:
    assert usage_fields({"prompt_tokens": 5, "completion_tokens": 0, "total_tokens": 5})["output_tokens"] == 0


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        object(),
        {"prompt_tokens": None, "total_tokens": None},
        {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    ],
)
def test_what_nobody_counted_is_left_out(usage: object) -> None:
    assert usage_fields(usage) == {}


@pytest.mark.parametrize("count", [-1, 2**53, 1.5, "7", True])
def test_a_count_that_is_none_is_left_out(count: object) -> None:
    assert usage_fields({"prompt_tokens": count, "completion_tokens": 3}) == {"output_tokens": 3}
