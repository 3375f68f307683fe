from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runledger.producers.masking import Masker
from runledger.producers.masking.masker import is_clean, searched
from tests.unit.producers.masking.samples import SECRETS

MASKER = Masker()
_IDS = st.from_regex(r"[0-9a-f]{16}", fullmatch=True) | st.from_regex(r"[2-6][0-9]{15}", fullmatch=True)
_TIMES = st.datetimes().map(lambda at: f"{at.isoformat()}+00:00")
_SAID = st.sampled_from([before + secret + after for _, before, secret, after in SECRETS])
_TEXTS = _IDS | _TIMES | _SAID | st.sampled_from(["gpt-4o-mini", "", "--token", "4111111111111111"]) | st.text()
_NUMBERS = st.integers() | st.just(4111111111111111) | st.floats(allow_nan=False) | st.booleans() | st.none()
_NAMES = st.sampled_from(["name", "key", "value", "token", "password", "span_id", "a"]) | _TEXTS


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ({"password": "hunter2"}, {"password": "[masked:password]"}),
        ({"a": [{"apiKey": "x1"}]}, {"a": [{"apiKey": "[masked:api_key]"}]}),
        ({"note": "to alice@example.com"}, {"note": "to [masked:email]"}),
        ({"headers": {"Authorization": "Bearer x"}}, {"headers": {"Authorization": "[masked:authorization]"}}),
        ({"tokens": 3, "token": "x1"}, {"tokens": 3, "token": "[masked:token]"}),
        ({"secrets": {"db": {"a": "b1"}, "n": 4}}, {"secrets": {"db": {"a": "[masked:secret]"}, "n": 4}}),
        ({"passwords": 1, "password": ["a1", "b1"]}, {"passwords": 1, "password": ["[masked:password]"] * 2}),
        ({"name": "X-Api-Key", "value": "x1"}, {"name": "X-Api-Key", "value": "[masked:api_key]"}),
        ({"argv": ["run", "--token", "x1"]}, {"argv": ["run", "--token", "[masked:token]"]}),
        ({"password": "${DB} of alice@example.com"}, {"password": "${DB} of [masked:email]"}),
        ({"password": "<hunter2!>"}, {"password": "[masked:password]"}),
        ({"pin": 1234, "passcode": 1234}, {"pin": 1234, "passcode": "[masked:password]"}),
        ({"paid_by": 4111111111111111}, {"paid_by": "[masked:card]"}),
        (("a@b.co", 1), ["[masked:email]", 1]),
    ],
)
def test_texts_and_values_under_telling_keys_are_masked(value: Any, masked: Any) -> None:  # noqa: ANN401  # any JSON value
    assert MASKER.mask_json(value) == masked


@pytest.mark.parametrize(
    "value",
    [
        {"input_tokens": 8400, "total_tokens": 9600, "max_tokens": 4096, "token": 512},
        {"password": None, "secret": True, "api_key": "", "token": "[masked:token]"},
        {"password": {"type": "string", "minLength": 12}},
        {"password": "${DB_PASSWORD}", "pwd": "/home/bob"},
        {"passed": "all 12", "fields": ["password", "username"]},
        {"order": 4111111111111112, "at": 1767225600000, "ratio": 0.5, "big": 2**64 - 1},
        {"commit": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "nested": [[], {}, [None]]},
        "text",
        7,
        None,
    ],
)
def test_a_value_without_secrets_is_returned_itself(value: object) -> None:
    assert MASKER.mask_json(value) is value


def test_a_value_that_markers_would_make_too_large_gets_short_ones() -> None:
    value = {"to": ["a@b.co"] * 1000, "passcode": 1234, "cvv": 123456789012345}
    size = len(orjson.dumps(value))
    masked = MASKER.mask_json(value, size)
    assert masked == {"to": ["***"] * 1000, "passcode": None, "cvv": "[masked:card]"}
    assert len(orjson.dumps(masked)) <= size
    assert MASKER.mask_json(masked, size) is masked


@given(_IDS | _TIMES | _TEXTS)
def test_in_a_text_that_is_called_clean_no_rule_finds_anything(text: str) -> None:
    assert not is_clean(text) or searched(text, short=False) == text


@given(st.dictionaries(_NAMES, _TEXTS | _NUMBERS, max_size=6))
def test_an_object_looked_at_as_one_is_masked_as_within_a_list(value: dict[str, Any]) -> None:
    """A list's objects are walked, one by one."""
    assert [MASKER.mask_json(value)] == MASKER.mask_json([value])
