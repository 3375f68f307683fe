"""Errors of reading.

AnalyticsError
├── ReadUnavailableError    the database does not answer, or not in time (a ConnectionError too)
├── TimeZoneError           no time zone is named so (a ValueError too)
└── CounterError            two counts want one name
"""

from __future__ import annotations


class AnalyticsError(Exception):
    """Root of what `runledger.analytics` raises."""


class ReadUnavailableError(AnalyticsError, ConnectionError):
    """The database does not answer, or not in time. Nothing is wrong with the question; ask again."""


class TimeZoneError(AnalyticsError, ValueError):
    """No time zone is named so."""


class CounterError(AnalyticsError):
    """Two counts want one name in the breakdown."""
