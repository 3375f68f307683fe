"""The value types of the event model, with their limits (docs/events.md)."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Annotated, Any, TypeAlias

import orjson
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

MAX_INTEGER = 2**53 - 1
"""Largest count: the last integer every JSON reader holds exactly (RFC 8259, section 6)."""
MAX_UINT64 = 2**64 - 1
MIN_INT64 = -(2**63)
MAX_DEPTH = 32
MAX_VALUE_BYTES = 256 * 1024
MAX_EVENT_BYTES = 900_000
MAX_SUMMARY = 2000
MAX_ERROR = 8000
MAX_TRACES = 200
COST_PLACES = Decimal("1e-10")
"""Costs are numeric(20,10) in Postgres."""
COST_LIMIT = Decimal(10) ** 9
"""A single cost stays below a billion dollars, so that no rounding outgrows the column."""
SUMMARY_IS = "summary_is"
"""In the meta of a run's end: its summary is no report of the agent but an `error` or an `output`; nobody is shown it
without a key."""

_NO_NUL = r"^[^\x00]*$"
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}")
_COST_CONTEXT = Context(prec=40, rounding=ROUND_HALF_EVEN)


def quantize_usd(cost_usd: Decimal) -> Decimal:
    """Round a cost half-even to ten places, so that sums do not depend on a float's last digits."""
    return _COST_CONTEXT.quantize(cost_usd, COST_PLACES)  # a third of what the number's own method takes


def _whole_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise PydanticCustomError("integer", "must be a whole number, not {kind}", {"kind": type(value).__name__})
    return value


def _cost_number(value: object) -> object:
    if isinstance(value, bool):
        raise PydanticCustomError("cost", "must be a number, not bool")
    return value


def _as_said(value: object) -> object:
    # Pydantic would take 5 and "5" for five seconds after 1970.
    if (isinstance(value, str) and not _MOMENT.match(value)) or isinstance(value, int | float | Decimal):
        raise PydanticCustomError("time", "must be an RFC 3339 time, such as 2026-01-31T12:00:00Z")
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("time", "must lie within the years 1 to 9999 in UTC") from None


def _refuse(path: str, why: str) -> PydanticCustomError:
    return PydanticCustomError("json_value", "{path}: {why}", {"path": path or "value", "why": why})


def _check_text(text: str, path: str) -> None:
    if "\x00" in text:
        raise _refuse(path, "must not hold NUL characters")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _refuse(path, "must not hold lone surrogates") from None


def _check_number(value: float, path: str) -> None:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _refuse(path, "must be a finite number")
    elif not MIN_INT64 <= value <= MAX_UINT64:
        raise _refuse(path, "is an integer of more than 64 bits")


def _walk(value: object, path: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise _refuse(path[:80], f"is nested deeper than {MAX_DEPTH}")
    match value:
        case None | bool():
            pass
        case str():
            _check_text(value, path)
        case int() | float():
            _check_number(value, path)
        case dict():
            for key, item in value.items():
                if not isinstance(key, str):
                    raise _refuse(path, "has a key that is not text")
                _check_text(key, path)
                _walk(item, f"{path}.{key}" if path else key, depth + 1)
        case list() | tuple():
            for index, item in enumerate(value):
                _walk(item, f"{path}[{index}]", depth + 1)
        case _:
            raise _refuse(path, f"{type(value).__name__} is not a JSON value")


def check_json(value: dict[str, Any]) -> dict[str, Any]:
    """Return a free-form JSON object as it is, or refuse it, naming the place.

    Refused: anything that is not JSON, numbers that are not finite or wider than 64 bits, NUL characters and lone
    surrogates (jsonb takes neither), nesting deeper than 32, more than 256 KiB encoded.
    """
    _walk(value, "", 1)
    try:
        size = len(orjson.dumps(value))
    except TypeError as error:  # a class of its own, such as NumPy's floats and named tuples
        raise _refuse("", str(error)) from None
    if size > MAX_VALUE_BYTES:
        raise _refuse("", f"takes {size} bytes, more than {MAX_VALUE_BYTES}")
    return value


Count: TypeAlias = Annotated[int, Field(ge=0, le=MAX_INTEGER), BeforeValidator(_whole_number)]
"""0 … 2^53 - 1; 8400.0 counts as an integer, true and "8400" do not."""

CostUsd: TypeAlias = Annotated[
    Decimal,
    Field(ge=0, lt=COST_LIMIT, allow_inf_nan=False),
    BeforeValidator(_cost_number),
    AfterValidator(quantize_usd),
]
"""US dollars, at least 0, ten decimal places."""

Timestamp: TypeAlias = Annotated[AwareDatetime, BeforeValidator(_as_said), AfterValidator(_in_utc)]
"""An aware time, held in UTC; in JSON RFC 3339 text (CloudEvents 1.0, `time`), never a number."""

ProjectKey: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")]
AgentId: TypeAlias = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255, pattern=_NO_NUL)
]
EventId: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$")]
"""1 to 128 visible ASCII characters: it travels in headers too."""

Name: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=_NO_NUL)]
Ticket: TypeAlias = Annotated[str, StringConstraints(max_length=64, pattern=_NO_NUL)]
AgentName: TypeAlias = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128, pattern=_NO_NUL)
]
Summary: TypeAlias = Annotated[str, StringConstraints(max_length=MAX_SUMMARY, pattern=_NO_NUL)]
ErrorText: TypeAlias = Annotated[str, StringConstraints(max_length=MAX_ERROR, pattern=_NO_NUL)]
JsonObject: TypeAlias = Annotated[dict[str, Any], AfterValidator(check_json)]
Traces: TypeAlias = Annotated[list[JsonObject], Field(max_length=MAX_TRACES)]
