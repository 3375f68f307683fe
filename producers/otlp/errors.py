"""Errors of reading OTLP.

OtlpError
├── UnreadableError    the request cannot be decoded
└── RefusedSpanError   one span of it cannot be taken; the others can
"""

from __future__ import annotations


class OtlpError(Exception):
    """Root of all."""


class UnreadableError(OtlpError):
    """The request cannot be decoded; the message says why and never quotes it."""


class RefusedSpanError(OtlpError):
    """One span cannot be taken; the message says why, the same for every span of that kind."""
