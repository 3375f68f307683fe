"""What a key is, and what it allows."""

from __future__ import annotations

import pytest

from runledger.access.errors import BadKeyError, ForbiddenError
from runledger.access.keys import ApiKey, Principal


def test_a_key_survives_being_written_out_and_read() -> None:
    key = ApiKey.new()
    assert ApiKey.parse(key.text()) == key
    assert key.matches(key.digest())
    assert not ApiKey.new().matches(key.digest())


def test_its_repr_and_its_digest_do_not_tell_the_secret() -> None:
    key = ApiKey.new()
    assert key.secret not in repr(key)
    assert key.secret.encode() not in key.digest()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rl",
        "rl.x.y",
        "rl.00000000000000000000000000000000.",
        "xx.00000000000000000000000000000000.s",
        "a" * 999,
        "rl.00000000000000000000000000000000.\udcff",  # a byte of the environment that is no UTF-8
    ],
    ids=range(7),
)
def test_what_has_not_a_keys_form_is_refused(text: str) -> None:
    with pytest.raises(BadKeyError):
        ApiKey.parse(text)


def test_a_principal_keeps_to_its_scopes_and_its_project() -> None:
    principal = Principal("acme", frozenset({"emit"}))
    principal.require("emit")
    principal.require("emit", "acme")
    with pytest.raises(ForbiddenError, match="scope"):
        principal.require("read")
    with pytest.raises(ForbiddenError, match="another project"):
        principal.require("emit", "other")
