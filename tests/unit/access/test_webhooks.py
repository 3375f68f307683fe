from __future__ import annotations

import pytest

from runledger.access.errors import BadUrlError
from runledger.access.webhooks import MAX_URL_LENGTH, check_url, secret_text


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "http://127.0.0.1:8080/hooks?project=acme",
        "https://[::1]:8443/x",
        "HTTPS://EXAMPLE.COM/",
        "https://bücher.example/hook",
        "https://example.com/" + "x" * (MAX_URL_LENGTH - 20),
    ],
)
def test_check_url_takes_what_can_be_posted_to(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "begin with https"),
        ("example.com/hook", "begin with https"),
        ("ftp://example.com", "begin with https"),
        ("file:///etc/passwd", "begin with https"),
        ("javascript:alert(1)", "begin with https"),
        ("https://", "no host"),
        ("https:///path", "no host"),
        ("https://example.com:0/", "port 0"),
        ("https://example.com:99999/", "no URL"),
        ("https://[::1/", "no URL"),
        ("https://user:hunter2@example.com/", "user or password"),
        ("https://user@example.com/", "user or password"),
        ("https://@example.com/", "user or password"),
        ("https://example.com/a b", "spaces"),
        ("https://example.com/\r\nX-Injected: 1", "control characters"),
        ("https://example.com/\x00", "control characters"),
        ("https://example.com/" + "x" * MAX_URL_LENGTH, "2000 are allowed"),
    ],
)
def test_check_url_refuses_all_else_and_says_why(url: str, why: str) -> None:
    with pytest.raises(BadUrlError, match=why) as refused:
        check_url(url)
    assert "hunter2" not in str(refused.value)


def test_secret_text_is_marked_as_a_webhook_secret() -> None:
    assert secret_text(bytes(24)) == "whsec_" + "A" * 32
