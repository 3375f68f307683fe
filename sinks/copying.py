"""Rows as the text that COPY reads; pure.

Text written in one piece costs a third of what a call of psycopg's for each row does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import orjson
import psycopg

from runledger.schemas.usage import UsageTotals
from runledger.sinks.rows import json_of

_NULL = "\\N"
_encode = msgspec.json.Encoder().encode


def copy_text(rows: Iterable[Iterable[Any]]) -> bytes:
    """Write rows in COPY's text format (PostgreSQL manual, COPY, "Text Format").

    Args:
        rows: values as Python holds them: text, numbers, times, ids, {…} for jsonb, tuples of text for text[].

    Raises:
        psycopg.DataError: a text holds a lone surrogate, which has no bytes; JSON holds an integer of over 64 bits.
    """
    write = _TEXT_OF
    lines = ["\t".join([_NULL if value is None else write[type(value)](value) for value in row]) for row in rows]
    lines.append("")
    try:
        return "\n".join(lines).encode()
    except UnicodeEncodeError as error:
        raise psycopg.DataError("a text holds a lone surrogate") from error


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")


def _bool(value: bool) -> str:
    return "t" if value else "f"


def _compact(value: datetime | UUID) -> str:
    # Five times as fast as str() and isoformat().
    return _encode(value)[1:-1].decode()


def _json(value: object) -> str:
    try:
        return _escape(orjson.dumps(value, default=json_of).decode())
    except TypeError as error:
        raise psycopg.DataError("a value has no JSON form") from error


def _array(values: tuple[str, ...]) -> str:
    quoted = ['"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values]
    return _escape("{" + ",".join(quoted) + "}")


_TEXT_OF: dict[type, Callable[[Any], str]] = {
    str: _escape,
    int: int.__repr__,
    bool: _bool,
    datetime: _compact,
    date: date.isoformat,
    UUID: _compact,
    Decimal: str,
    dict: _json,
    UsageTotals: _json,
    tuple: _array,
}
