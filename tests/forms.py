"""What two readers of one record must give alike."""

from __future__ import annotations

import msgspec
from pydantic import BaseModel


def form_of(value: object) -> object:
    """Everything in a record that one can see: types, order of fields, digits of numbers."""
    if isinstance(value, BaseModel):
        return type(value), [(name, form_of(item)) for name, item in vars(value).items()]
    if isinstance(value, msgspec.Struct):
        return type(value), [(name, form_of(getattr(value, name))) for name in value.__struct_fields__]
    if isinstance(value, dict):
        return dict, [(name, form_of(item)) for name, item in value.items()]
    if isinstance(value, list):
        return list, [form_of(item) for item in value]
    return type(value), repr(value)
