"""Errors of reading.

AnalyticsError
├── CounterError            two counts want one name
├── CursorError             a page's cursor is malformed, or of another list (a ValueError too)
├── ReadUnavailableError    the database does not answer, or not in time (a ConnectionError too)
├── TimeZoneError           no time zone is named so (a ValueError too)
└── UnknownProjectError     there is no such project
"""

from __future__ import annotations


class AnalyticsError(Exception):
    """Root of what `runledger.analytics` raises."""


class CounterError(AnalyticsError):
    """Two counts want one name in the breakdown."""


class CursorError(AnalyticsError, ValueError):
    """The cursor is not one that this list gave."""


class ReadUnavailableError(AnalyticsError, ConnectionError):
    """The database does not answer, or not in time. Nothing is wrong with the question; ask again."""


class TimeZoneError(AnalyticsError, ValueError):
    """No time zone is named so."""


class UnknownProjectError(AnalyticsError):
    """There is no such project; an audit of it would find nothing wrong."""
