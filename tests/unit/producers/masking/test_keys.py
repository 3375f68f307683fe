from __future__ import annotations

import pytest

from runledger.producers.masking.keys import kind_of


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("password", "password"),
        ("DB_PASSWORD", "password"),
        ("dbPassword", "password"),
        ("userpassword", "password"),
        ("passwd", "password"),
        ("PGPASSWORD", "password"),
        ("pass", "password"),
        ("password_hash", "password"),
        ("secret", "secret"),
        ("client-secret", "secret"),
        ("clientSecret", "secret"),
        ("secrets", "secret"),
        ("credentials", "secret"),
        ("private_key", "secret"),
        ("connectionString", "secret"),
        ("api_key", "api_key"),
        ("apiKey", "api_key"),
        ("X-Api-Key", "api_key"),
        ("OPENAI_API_KEY", "api_key"),
        ("apikey", "api_key"),
        ("aws_access_key", "api_key"),
        ("aws_secret_access_key", "api_key"),
        ("token", "token"),
        ("access_token", "token"),
        ("accessToken", "token"),
        ("GITHUB_TOKEN", "token"),
        ("session_id", "token"),
        ("Authorization", "authorization"),
        ("proxy-authorization", "authorization"),
        ("Set-Cookie", "cookie"),
        ("cookies", "cookie"),
        ("card_number", "card"),
        ("cvv", "card"),
    ],
)
def test_a_telling_key_names_the_kind_of_its_secret(key: str, kind: str) -> None:
    assert kind_of(key) == kind


@pytest.mark.parametrize(
    "key",
    [
        *("input_tokens", "output_tokens", "total_tokens", "totalTokens", "max_tokens", "tokens", "token_count"),
        *("token_usage", "token_type", "token_limit", "tokenizer", "next_page_token", "nextPageToken", "pageToken"),
        *("continuation_token", "eos_token", "pad_token", "stop_token", "key", "keys", "primary_key", "foreign_key"),
        *("keyboard", "monkey", "secretary", "password_required", "passed", "compass", "bypass", "author", "authors"),
        *("authorized", "cookiecutter", "cookie_count", "name", "value", "", "k" * 129 + "_password"),
    ],
)
def test_any_other_key_tells_nothing(key: str) -> None:
    assert kind_of(key) is None
