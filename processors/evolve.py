"""`dataclasses.replace`, fast enough for every event: by way of drafts, which are a frozen record's mutable twins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, make_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

_Record = TypeVar("_Record")
_Type = TypeVar("_Type", bound=type)

Draft: TypeAlias = Any
"""A copy of a frozen record that may be assigned to, but to no other fields than its own. mypy knows no such type."""


@cache
def _twin_of(record_type: type) -> type:
    names = [field.name for field in fields(record_type)]
    return make_dataclass(record_type.__name__, names, slots=True, eq=False, namespace={"frozen_type": record_type})


@cache
def _copier(record_type: type) -> Callable[[Any], Draft]:
    """Write out the assignments of all fields: for the 39 of a run 0.4 µs; replace() sets them one by one in 10 µs."""
    names = [field.name for field in fields(record_type)]
    lines = ["def copied(record):", " copy = new(twin)", *(f" copy.{name} = record.{name}" for name in names)]
    scope: dict[str, Any] = {"new": object.__new__, "twin": _twin_of(record_type)}
    exec("\n".join((*lines, " return copy")), scope)  # noqa: S102  # as dataclasses does, from names of our own
    copied: Callable[[Any], Draft] = scope["copied"]
    return copied


def thaw(record: Any) -> Draft:  # noqa: ANN401  # of any class
    """Copy a frozen, slotted dataclass of at least two fields; a draft is returned as it is."""
    record_type: type = record.__class__
    return record if hasattr(record_type, "frozen_type") else _copier(record_type)(record)


def freeze(draft: Draft) -> Any:  # noqa: ANN401  # the record the draft was made of
    """Make the record of a draft, which is one from now on; what is no draft is returned as it is."""
    frozen_type = getattr(draft.__class__, "frozen_type", None)
    if frozen_type is not None:
        draft.__class__ = frozen_type
    return draft


if TYPE_CHECKING:
    from dataclasses import replace as evolve

    def builder_of(record_type: _Type) -> _Type:
        """Return what makes records as their type does."""
else:

    def builder_of(record_type: type) -> Callable[..., Any]:
        """Return what makes records as their type does, of all their fields, in a third of the time."""
        twin = _twin_of(record_type)

        def build(*values: object) -> object:
            record = twin(*values)
            record.__class__ = record_type
            return record

        return build

    def evolve(record: _Record, /, **changes: object) -> _Record:
        """Copy a frozen, slotted dataclass of at least two fields, with some of them changed."""
        copy = _copier(record.__class__)(record)
        for name, value in changes.items():
            setattr(copy, name, value)
        return freeze(copy)


__all__ = ["Draft", "builder_of", "evolve", "freeze", "thaw"]
