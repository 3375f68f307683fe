from __future__ import annotations

import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runledger.producers.masking import Masker
from runledger.producers.masking.masker import is_clean, searched
from tests.unit.producers.masking.samples import CLEAN, SECRETS

MASKER = Masker()
GLUED = "378282246310005password: hooks.slack.com/services/" * 50
ANY_TEXT = st.text(max_size=200)
SNIPPETS = st.sampled_from(
    [part for _, before, secret, after in SECRETS for part in (before, secret, after, before + secret + after)]
    + ["@", "%40", "://", "password=", "token: ", "[masked:email]", "***", '"', "\\", " ", "-", ".", "_", "x", "7", "="]
)
TANGLED = st.lists(SNIPPETS | st.text(string.printable, max_size=6), max_size=8).map("".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | ANY_TEXT | TANGLED,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["password", "n", "headers", "--token", "value", "name"]), inner, max_size=4)
    ),
    max_leaves=12,
)


def shape(value: object) -> object:
    """Everything of a JSON value but its leaves."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else None


@pytest.mark.parametrize(("kind", "before", "secret", "after"), SECRETS)
def test_a_secret_is_masked_and_the_text_around_it_stays(kind: str, before: str, secret: str, after: str) -> None:
    assert MASKER.mask_text(f"{before}{secret}{after}") == f"{before}[masked:{kind}]{after}"


@pytest.mark.parametrize("text", CLEAN)
def test_what_only_looks_like_a_secret_stays_the_same_object(text: str) -> None:
    assert MASKER.mask_text(text) is text


@given(ANY_TEXT | TANGLED | st.text(string.digits + " -", max_size=30) | st.from_regex(r"(?i)bearer [a-z]{8,20}"))
@example("Bearer abcdefgh1")
@example("curl -u me:abcdefg1")
@example("--token abc")
@example("4111 1111 1111 1111")
def test_what_is_told_clean_in_passing_is_clean(text: str) -> None:
    assert not is_clean(text) or searched(text, short=False) is text


@pytest.mark.parametrize("text", ["Which flights leave before noon, and what do they cost?", "", "a b", "ein Übergang"])
def test_plain_prose_is_told_clean_in_passing(text: str) -> None:
    assert is_clean(text)


@pytest.mark.parametrize(("before", "secret", "after"), [row[1:] for row in SECRETS])
def test_no_secret_is_told_clean_in_passing(before: str, secret: str, after: str) -> None:
    assert not is_clean(f"{before}{secret}{after}")


@given(ANY_TEXT | TANGLED)
@example("secret_access_key = aws_secret_access_key = 0")
@example("secret = my_secret = hunter22x")
def test_masking_again_changes_nothing(text: str) -> None:
    masked = MASKER.mask_text(text)
    assert MASKER.mask_text(masked) == masked


@given(TANGLED, st.integers(0, 300))
def test_a_text_within_its_limit_stays_within(text: str, room: int) -> None:
    limit = len(text) + room
    masked = MASKER.mask_text(text, limit)
    assert len(masked) <= limit
    assert MASKER.mask_text(masked, limit) == masked


@given(JSON)
def test_json_keeps_its_shape_and_keys_and_is_masked_once(value: object) -> None:
    masked = MASKER.mask_json(value)
    assert shape(masked) == shape(value)
    assert MASKER.mask_json(masked) == masked


@given(JSON)
@settings(max_examples=50)
def test_a_json_value_is_never_changed_in_place(value: object) -> None:
    before = repr(value)
    MASKER.mask_json(value)
    assert repr(value) == before


def test_a_secret_given_to_two_names_is_masked() -> None:
    assert (
        MASKER.mask_text("db_password = self.password = hunter22x") == "db_password = self.password = [masked:password]"
    )


def test_many_secrets_in_one_text_are_all_masked() -> None:
    text = "\n".join(f"{before}{secret}{after}" for _, before, secret, after in SECRETS)
    masked = MASKER.mask_text(text)
    for _, _, secret, _ in SECRETS:
        assert secret not in masked.splitlines()
        assert len(secret) < 8 or secret not in masked


def test_a_marker_without_room_becomes_asterisks() -> None:
    assert MASKER.mask_text("to a@b.co now", 13) == "to *** now"
    assert MASKER.mask_text("to a@b.co now", 21) == "to [masked:email] now"
    assert MASKER.mask_text("password=ab", 11) == "password=**"
    long_enough = "mail alice.in.wonderland@example.com password=hunter2"
    assert MASKER.mask_text(long_enough, len(long_enough)) == "mail [masked:email] password=[masked:password]"
    assert MASKER.mask_text(long_enough, 45) == "mail [masked:email] password=***"


@pytest.mark.parametrize("text", ["curl -u aalice@example.com", "://4111 1111 1111 1111@", "-u a@b.co:x curl", GLUED])
def test_the_name_in_a_marker_is_never_taken_for_a_secret(text: str) -> None:
    masked = MASKER.mask_text(text)
    assert MASKER.mask_text(masked) == masked


@pytest.mark.parametrize(
    "text", ["password=\npassword: swordfish", "password=\napi-key: swordfish7", "token: secret=swordfish7"]
)
def test_a_name_that_stands_where_a_value_would_hides_no_secret(text: str) -> None:
    assert "swordfish" not in MASKER.mask_text(text)
