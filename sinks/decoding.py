"""Records that the processors write, read several times as fast as by the codec.

They were validated before they were written, so here types, shapes and words are checked, and limits are left to the
columns; what no column holds is not looked at. What is refused is read again by the codec: it says why, or takes it
after all.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, fields, is_dataclass
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from runledger.schemas import codec
from runledger.schemas.outcomes import LoggedRun, StreakRevised
from runledger.schemas.snapshots import AgentHealth, RunSnapshot
from runledger.schemas.usage import UsageTotals

_Record = TypeVar("_Record")


def _decoder(record_type: type[_Record], *unread: str) -> msgspec.json.Decoder[_Record]:
    """Make a decoder whose records have the fields of a dataclass, and are Structs: those are made in half the time."""
    return cast("msgspec.json.Decoder[_Record]", msgspec.json.Decoder(_struct(record_type, unread)))


def _struct(record_type: type, unread: tuple[str, ...] = ()) -> type[msgspec.Struct]:
    types = get_type_hints(record_type)
    read = [
        (field.name, _as_struct(types[field.name]), _default(field))
        for field in fields(record_type)
        if field.name not in unread
    ]
    return msgspec.defstruct(record_type.__name__, read, kw_only=True, frozen=True, gc=False)


def _as_struct(type_: Any) -> Any:  # noqa: ANN401  # whatever a field is annotated with
    if isinstance(type_, type) and is_dataclass(type_):
        return _struct(type_)
    if get_origin(type_) in {UnionType, Union}:
        return Union[tuple(map(_as_struct, get_args(type_)))]  # noqa: UP007  # of types that are known only here
    return type_


def _default(field: Field[Any]) -> Any:  # noqa: ANN401  # of whatever type the field has
    if field.default_factory is not MISSING:
        return msgspec.field(default_factory=field.default_factory)
    return msgspec.field() if field.default is MISSING else msgspec.field(default=field.default)


_RUN = _decoder(RunSnapshot, "agent_rank", "outcome_digest")
_AGENT = _decoder(AgentHealth, "window", "floor", "incidents")
_LOGGED = _decoder(LoggedRun)


class _Parts(msgspec.Struct):
    outcome: msgspec.Raw
    baseline: msgspec.Raw


_PARTS = msgspec.json.Decoder(_Parts)


def decode_run(value: bytes | None) -> RunSnapshot:
    """Read one record of runs.

    Raises:
        DecodeError: the bytes are no snapshot.
    """
    found = _read(_RUN, value)
    if found is None or not _are_costs(found.usage, found.reported, found.final):
        return codec.decode(RunSnapshot, value)
    return found


def decode_agent(value: bytes | None) -> AgentHealth:
    """Read one record of agents.

    Raises:
        DecodeError: the bytes are no agent's state.
    """
    found = _read(_AGENT, value)
    return codec.decode(AgentHealth, value) if found is None else found


def decode_logged(value: bytes | None) -> LoggedRun | StreakRevised:
    """Read one record of run-log; a revision of streaks is rare, and left to the codec.

    Raises:
        DecodeError: the bytes are neither a LoggedRun nor a StreakRevised.
    """
    found = _read(_LOGGED, value)
    if found is None or not _are_costs(found.outcome.usage):
        return codec.decode_run_log(value)
    return found


def split_logged(value: bytes | None) -> tuple[bytes, bytes]:
    """Return outcome and baseline of a LoggedRun that `decode_logged` has read, as they are written in it."""
    parts = _PARTS.decode(value or b"")
    return bytes(parts.outcome), bytes(parts.baseline)


def _read(decoder: msgspec.json.Decoder[_Record], value: bytes | None) -> _Record | None:
    try:
        return decoder.decode(value or b"")
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _are_costs(*totals: UsageTotals | None) -> bool:
    """Tell whether costs are sums of money: to msgspec and to Postgres, NaN is a number too."""
    for each in totals:
        if each is not None and (cost := each.cost_usd) is not None and (cost.is_signed() or not cost.is_finite()):
            return False
    return True
