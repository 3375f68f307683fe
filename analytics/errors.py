"""Errors of reading.

AnalyticsError
└── ReadUnavailableError    the database does not answer, or not in time (a ConnectionError too)
"""

from __future__ import annotations


class AnalyticsError(Exception):
    """Root of what `runledger.analytics` raises."""


class ReadUnavailableError(AnalyticsError, ConnectionError):
    """The database does not answer, or not in time. Nothing is wrong with the question; ask again."""
