"""The form in which a run's snapshot is written: what stands at its default is left out, two fifths of the bytes.

msgspec writes and reads this form, a Struct, in half the time of the dataclass. (What is left out of a dataclass
takes it longer than what is there.) Fields, types and defaults are the dataclass's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, TypeAlias, get_type_hints

import msgspec

from runledger.schemas.snapshots import RunSnapshot
from runledger.schemas.twins import twin_of, written_out
from runledger.schemas.usage import UsageTotals

__all__ = ["SHORT", "Short"]

ALWAYS_WRITTEN = frozenset({"schema_version"})
"""A default that may change: what was written under another must not take on the new one."""

_Convert: TypeAlias = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Short:
    """One record type's short form.

    Args:
        form: the Struct that msgspec reads and writes.
        shorten: makes a Struct of a record.
        widen: makes a record of a Struct.
    """

    form: type[msgspec.Struct]
    shorten: _Convert
    widen: _Convert


def _short(record_type: type, within: dict[str, Short]) -> Short:
    """Make the short form of a frozen, slotted dataclass.

    Args:
        record_type: the dataclass.
        within: short forms of the records in its fields, by the fields' names; such a field may also hold None.
    """
    hints = get_type_hints(record_type)
    members = [_member(field, hints[field.name], within.get(field.name)) for field in fields(record_type)]
    form = msgspec.defstruct(record_type.__name__, members, frozen=True, omit_defaults=True, gc=False)
    scope: dict[str, Any] = {"form": form, "new": object.__new__, "twin": twin_of(record_type), "own": record_type}
    shortened, widened = [], ["made = new(twin)"]
    for field in fields(record_type):
        taken = f"it.{field.name}"
        inner = within.get(field.name)
        if inner is None:
            shortened.append(taken)
            widened.append(f"made.{field.name} = {taken}")
        else:
            scope |= {f"shorten_{field.name}": inner.shorten, f"widen_{field.name}": inner.widen}
            shortened.append(f"None if {taken} is None else shorten_{field.name}({taken})")
            widened.append(f"made.{field.name} = None if {taken} is None else widen_{field.name}({taken})")
    widened += ["made.__class__ = own", "return made"]
    shorten = written_out("it", [f"return form({', '.join(shortened)})"], scope)
    return Short(form, shorten, written_out("it", widened, scope))


def _member(field: Field[Any], hint: Any, inner: Short | None) -> Any:  # noqa: ANN401  # as defstruct takes them
    if inner is not None:
        hint = inner.form if field.default is MISSING else inner.form | None
    if field.name in ALWAYS_WRITTEN or (field.default is MISSING and field.default_factory is MISSING):
        return field.name, hint
    return field.name, hint, inner.form() if inner is not None and field.default is MISSING else field.default


_TOTALS = _short(UsageTotals, {})
SHORT: dict[type, Short] = {RunSnapshot: _short(RunSnapshot, {"reported": _TOTALS, "final": _TOTALS, "usage": _TOTALS})}
"""{record type: its short form}"""
