"""`dataclasses.replace`, fast enough for every event: by way of drafts, which are a frozen record's mutable twins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from runledger.schemas.twins import copier_of

_Record = TypeVar("_Record")

Draft: TypeAlias = Any
"""A copy of a frozen record that may be assigned to, but to no other fields than its own. mypy knows no such type."""


def thaw(record: Any) -> Draft:  # noqa: ANN401  # of any class
    """Copy a frozen, slotted dataclass of at least two fields; a draft is returned as it is."""
    record_type: type = record.__class__
    return record if hasattr(record_type, "frozen_type") else copier_of(record_type)(record)


def freeze(draft: Draft) -> Any:  # noqa: ANN401  # the record the draft was made of
    """Make the record of a draft, which is one from now on; what is no draft is returned as it is."""
    frozen_type = getattr(draft.__class__, "frozen_type", None)
    if frozen_type is not None:
        draft.__class__ = frozen_type
    return draft


if TYPE_CHECKING:
    from dataclasses import replace as evolve
else:

    def evolve(record: _Record, /, **changes: object) -> _Record:
        """Copy a frozen, slotted dataclass of at least two fields, with some of them changed."""
        copy = copier_of(record.__class__)(record)
        for name, value in changes.items():
            setattr(copy, name, value)
        return freeze(copy)


__all__ = ["Draft", "evolve", "freeze", "thaw"]
