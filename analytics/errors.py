"""Errors of reading.

AnalyticsError
├── ReadUnavailableError    the database does not answer, or not in time (a ConnectionError too)
├── UnknownProjectError     there is no such project
├── TimeZoneError           no time zone is named so (a ValueError too)
├── CursorError             a page's cursor is malformed, or of another list (a ValueError too)
└── CounterError            two counts want one name
"""

from __future__ import annotations


class AnalyticsError(Exception):
    """Root of what `runledger.analytics` raises."""


class ReadUnavailableError(AnalyticsError, ConnectionError):
    """The database does not answer, or not in time. Nothing is wrong with the question; ask again."""


class UnknownProjectError(AnalyticsError):
    """There is no such project."""


class TimeZoneError(AnalyticsError, ValueError):
    """No time zone is named so."""


class CursorError(AnalyticsError, ValueError):
    """The cursor is not one that this list gave."""


class CounterError(AnalyticsError):
    """Two counts want one name in the breakdown."""
