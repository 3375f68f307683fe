"""How values are written in questions and answers."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field, PlainSerializer, StringConstraints

from runledger.analytics.paging import MAX_CURSOR_LENGTH

At: TypeAlias = Annotated[datetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
"""A time in an answer: RFC 3339, in UTC."""

Usd: TypeAlias = Annotated[Decimal, PlainSerializer(lambda cost: f"{cost.normalize():f}", return_type=str)]
"""US dollars as decimal text: most JSON readers would round a number."""

AgentName: TypeAlias = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=255, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")
]
TaskName: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00]*$")]
Fingerprint: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
CursorText: TypeAlias = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_CURSOR_LENGTH, pattern=r"^[A-Za-z0-9_-]+$")
]
ZoneName: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$", examples=["Europe/Berlin"])
]
