"""Errors of our HTTP services.

HttpError          an answer that is not a success
├── status 400     the body ended early or its compression is broken
├── 401            no valid API key
├── 403            the key does not allow this, or names another project
├── 404            there is no such thing, in this project
├── 408            the body does not arrive
├── 413            too large
├── 415            of a kind that is not understood
├── 422            a rule is broken; names the field
└── 503            the broker, the keys or the tables do not answer in time
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

Code: TypeAlias = Literal[
    "bad_body",
    "bad_key",
    "forbidden",
    "not_found",
    "method_not_allowed",
    "body_timeout",
    "too_large",
    "unsupported_media_type",
    "invalid",
    "outcome_unknown",
    "not_accepted",
    "keys_unavailable",
    "ledger_unavailable",
    "not_ready",
    "internal",
]


class HttpError(Exception):
    """What the caller is answered instead of a success.

    Args:
        status: of the answer.
        code: stable, for programs.
        message: for people; says what to do, never quotes the payload.
        field: dotted path of the offending field, where there is one.
        headers: of the answer.
    """

    def __init__(
        self,
        status: int,
        code: Code,
        message: str,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code: Code = code
        self.message = message
        self.field = field
        self.headers = dict(headers or {})


def invalid(field: str, reason: str) -> HttpError:
    """Say which field breaks a rule."""
    return HttpError(422, "invalid", f"{field}: {reason}", field)


def retry_later(code: Code, message: str) -> HttpError:
    """Say that the same request may succeed in a moment."""
    return HttpError(503, code, message, headers={"Retry-After": "1"})
