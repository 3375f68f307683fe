"""Errors of the dead letters' desk."""

from __future__ import annotations


class DeadLetterError(Exception):
    """Dead letters could not be read or sent; the message says what to do."""


class NoLetterError(DeadLetterError):
    """No dead letter stands there."""
