"""Errors of access control.

AccessError
├── BadKeyError       no valid, living key
├── ForbiddenError    the key does not allow this, or belongs to another project
├── NoProjectError    there is no such project
├── NoWebhookError    the project has no webhook
├── BadUrlError       nothing can be posted there
└── UnavailableError  the keys cannot be looked up just now
"""

from __future__ import annotations


class AccessError(Exception):
    """Root of what `runledger.access` raises."""


class BadKeyError(AccessError):
    """The credential is missing, malformed, unknown or revoked; which of these is not said."""


class ForbiddenError(AccessError):
    """The credential is valid, but not for this."""


class NoProjectError(AccessError):
    """There is no such project."""


class NoWebhookError(AccessError):
    """The project has no webhook."""


class BadUrlError(AccessError):
    """This is no address that a webhook can be posted to."""


class UnavailableError(AccessError):
    """The database with the keys does not answer."""
