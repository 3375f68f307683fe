"""Cursors: where a page of a list ended, so that the next begins there, whatever was inserted meanwhile."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from runledger.analytics.errors import CursorError

MAX_CURSOR_LENGTH = 2200
"""Longest is is an agent's name: 255 characters, six bytes each where JSON escapes them, a third more in base64."""
_DIGEST_BYTES = 12
_PlaceT = TypeVar("_PlaceT")
_RowT = TypeVar("_RowT")


@dataclass(frozen=True, slots=True)
class Page(Generic[_RowT]):
    """Some rows of a list.

    Args:
        rows: in the list's order.
        next_cursor: where the next page begins; None after the last row.
    """

    rows: list[_RowT]
    next_cursor: str | None


def write_cursor(question: Mapping[str, object], place: Sequence[object]) -> str:
    """Write a place down.

    Args:
        question: project, filters and sort: all that the list depends on. The cursor works for the same alone.
        place: the sort key of the last row shown.
    """
    return base64.urlsafe_b64encode(to_json([_digest(question), *place])).rstrip(b"=").decode()


def read_cursor(text: str, question: Mapping[str, object], place: TypeAdapter[_PlaceT]) -> _PlaceT:
    """Read a place that `write_cursor` wrote.

    It is not signed: whoever makes one up reads his own project's rows from another place on.

    Args:
        text: the cursor.
        question: as it was then.
        place: of what types.

    Raises:
        CursorError: it is no cursor, or one of another question.
    """
    written = _unpack(text)
    if written[0] != _digest(question):
        raise CursorError("belongs to another list: project, filters and sort must stay as they were")
    try:
        return place.validate_python(written[1:])
    except ValidationError as error:
        raise CursorError("is not a cursor") from error


def _unpack(text: str) -> list[object]:
    if len(text) > MAX_CURSOR_LENGTH:
        raise CursorError("is not a cursor")
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        written = from_json(packed, allow_inf_nan=False)
    except ValueError as error:
        raise CursorError("is not a cursor") from error
    if not isinstance(written, list) or not written:
        raise CursorError("is not a cursor")
    return written


def _digest(question: Mapping[str, object]) -> str:
    canonical = to_json(dict(sorted(question.items())))
    return base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()[:_DIGEST_BYTES]).decode()
