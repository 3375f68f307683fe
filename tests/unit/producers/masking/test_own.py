from __future__ import annotations

import pytest

from runledger.producers import ProducerError
from runledger.producers.masking import Masker, MaskPatternError


@pytest.mark.parametrize(
    ("pattern", "text", "masked"),
    [
        (r"EMP-\d{6}", "by EMP-123456", "by [masked:own]"),
        (r"\bEMP-\d{1,10}+\b", "by EMP-1", "by [masked:own]"),
        (r"(?i)acme_[a-z0-9_-]{8,200}+", "ACME_0a1b2c3d4e", "[masked:own]"),
        (r"[\]x]{3}", "a ]x] b", "a [masked:own] b"),
        (r"(?<=user=)\w{1,64}+", "user=alice", "user=[masked:own]"),
        (r"(?:DE|AT)\d{2}(?: 1)?", "DE12 1", "[masked:own]"),
        (r"B\d", "B1", "[masked:own]"),
    ],
)
def test_an_own_pattern_masks_what_it_matches(pattern: str, text: str, masked: str) -> None:
    masker = Masker({"own": pattern})
    assert masker.mask_text(text) == masked
    assert masker.mask_text(masked) is masked


@pytest.mark.parametrize("pattern", [r"(?=Z)", r"Q?(?=Z)", r"(?<=Z)", r"\bZ{0,3}(?=x)"])
def test_an_own_pattern_that_matches_nothing_at_all_masks_nothing_and_ends(pattern: str) -> None:
    text = "aZ Z xZ ZZ"
    assert Masker({"own": pattern}).mask_text(text) is text


def test_own_patterns_reach_into_json_and_keep_to_limits() -> None:
    masker = Masker({"staff": r"EMP-\d{6}", "room": r"R\d{3}"})
    assert masker.mask_json({"by": ["EMP-123456", {"in": "R101"}]}) == {
        "by": ["[masked:staff]", {"in": "[masked:room]"}]
    }
    assert masker.mask_text("in R101", 7) == "in ***"


@pytest.mark.parametrize(
    ("pattern", "because"),
    [
        (r"(", "no regular expression"),
        (r"\d+", "repeats without end"),
        (r"\d++x", "repeats without end"),
        (r".*", "repeats without end"),
        (r"a{3,}", "repeats without end"),
        (r"(?:\w{1,3}-){1,9}", "repeats a group"),
        (r"(a{1,2}){9}", "repeats a group"),
        (r"a{1,1001}", "more than 1000"),
        (r"\w{1,100}\w{1,100}x", "10000 ways"),
        (r"(\w)x\1", "refers back"),
        (r"(?P<a>\w)(?P=a)", "refers back"),
        (r"(a)?(?(1)b|c)", "refers back"),
        (r"x?", "empty"),
        (r"\b", "empty"),
        (r"[a-z]{4,8}", "a marker"),
        (r"\*", "a marker"),
        ("a" * 501, "more than 500"),
    ],
)
def test_a_pattern_without_a_bound_on_its_cost_is_refused(pattern: str, because: str) -> None:
    with pytest.raises(MaskPatternError, match=because) as refused:
        Masker({"own": pattern})
    assert refused.value.name == "own"
    assert isinstance(refused.value, ProducerError)


@pytest.mark.parametrize("name", ["", "Own", "a b", "a]", "x" * 33])
def test_a_name_that_does_not_fit_a_marker_is_refused(name: str) -> None:
    with pytest.raises(MaskPatternError, match="a name has"):
        Masker({name: "x{3}"})


def test_too_many_patterns_are_refused() -> None:
    patterns = {f"own-{number}": f"SECRET{number}-" for number in range(65)}
    with pytest.raises(MaskPatternError, match="64 are allowed"):
        Masker(patterns)
    del patterns["own-0"]
    Masker(patterns)


def test_the_patterns_of_the_documentation_work() -> None:
    masker = Masker({"staff": r"EMP-\d{6}", "firm": r"Acme(?: AG)? [A-Z]", "key": r"acme\w{8,200}+"})
    assert masker.mask_text("asked EMP-123456") == "asked [masked:staff]"
