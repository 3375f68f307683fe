"""Errors of the command line itself."""

from __future__ import annotations


class NotFoundError(Exception):
    """What was asked for is not there; the message says how to find what is."""


class AmbiguousError(Exception):
    """Several things are called so; the message names them."""
