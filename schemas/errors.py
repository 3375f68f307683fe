"""Errors of the shared schemas.

SchemaError
├── DecodeError    bytes from a topic are not a valid record of it
└── EncodeError    a record cannot be written within the topic's limits
"""

from __future__ import annotations

from typing import Literal, TypeAlias

DecodeReason: TypeAlias = Literal["empty", "too_large", "not_json", "unknown_type", "invalid", "wrong_key"]


class SchemaError(Exception):
    """Root of what `runledger.schemas` raises."""


class DecodeError(SchemaError):
    """Bytes are not a valid record; `reason` is a stable code, `detail` names the field.

    Args:
        reason: why, as one of a closed set, fit for a metric label or a header.
        detail: one line for people; never holds the payload itself.
        field: dotted path of the offending field, where there is one.
    """

    def __init__(self, reason: DecodeReason, detail: str, field: str | None = None) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: DecodeReason = reason
        self.detail = detail
        self.field = field


class EncodeError(SchemaError):
    """A record is valid but too large for its topic."""
