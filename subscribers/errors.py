"""Errors of subscribers."""

from __future__ import annotations


class SubscriptionError(Exception):
    """The topic cannot be read: Kafka does not answer, the topic is missing, or the reading was refused."""
