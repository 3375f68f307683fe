"""Lean events have what the model's have: a field that one of them lacked would be lost unseen."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest
from pydantic import BaseModel

from runledger.schemas.lean_events import LEAN, LeanEvent, Told
from runledger.schemas.run_events import AnyRunEvent, FailureResolved, RunErased, RunTimedOut

PAIRS: list[Any] = [pytest.param(model, form, id=model.__name__) for model, form in LEAN.items()]


def test_every_event_has_a_lean_form() -> None:
    assert {LEAN[event] for event in get_args(AnyRunEvent)} == set(get_args(LeanEvent))
    others = {LEAN[RunTimedOut], LEAN[FailureResolved], LEAN[RunErased]}
    assert set(get_args(LeanEvent)) - others == set(get_args(Told))


@pytest.mark.parametrize(("model", "form"), PAIRS)
def test_a_lean_form_has_the_models_fields_in_their_order(model: type[BaseModel], form: type[msgspec.Struct]) -> None:
    fields = [name for name in form.__struct_fields__ if name != "data"]
    assert fields == [name for name in model.model_fields if name not in {"type", "data"}]
    assert ("data" in form.__struct_fields__) == ("data" in model.model_fields)


@pytest.mark.parametrize(("model", "form"), PAIRS)
def test_what_is_left_out_means_the_same(model: type[BaseModel], form: type[msgspec.Struct]) -> None:
    for field in msgspec.structs.fields(form):
        known = model.model_fields[field.name]
        if field.required:
            assert known.is_required() or field.name == "data"  # where nothing need be told, our producers write {}
        else:
            default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
            assert default == known.get_default(call_default_factory=True)


@pytest.mark.parametrize(("model", "form"), PAIRS)
def test_a_lean_form_stands_on_the_wire_as_the_model_does(model: type[BaseModel], form: type[msgspec.Struct]) -> None:
    for field in msgspec.structs.fields(form):
        assert field.encode_name == (model.model_fields[field.name].alias or field.name)
