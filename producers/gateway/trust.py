"""Believe callers without a key, on a listener that only our own programs reach."""

from __future__ import annotations

from starlette.requests import Request

from runledger.access.http.errors import HttpError
from runledger.access.keys import Principal


def trusted(request: Request, project_key: str) -> Principal:
    """Believe a caller without a key.

    Web pages are not among our own programs: a browser on the same machine reaches a loopback listener too, and names
    the page's Origin.

    Raises:
        HttpError: 403.
    """
    if "origin" in request.headers:
        raise HttpError(403, "forbidden", "a web page needs an API key", "Origin")
    return Principal(project_key, frozenset({"emit"}))
