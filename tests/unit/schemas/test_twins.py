from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from runledger.schemas.twins import builder_of, copier_of, twin_of
from runledger.schemas.usage import UsageTotals


def test_a_builder_makes_what_the_type_makes() -> None:
    build = builder_of(UsageTotals)
    made = build(1, 2, 3, None, 4, None, None, 5)
    assert made == UsageTotals(1, 2, 3, None, 4, None, None, 5)
    assert type(made) is UsageTotals
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.input_tokens = 2  # type: ignore[misc]  # that is the point


def test_a_twin_has_what_its_record_has_and_takes_no_other_fields() -> None:
    totals = UsageTotals(1, 2, 3, None, 4)
    twin: Any = copier_of(UsageTotals)(totals)
    assert {twin_of(UsageTotals), UsageTotals} - {twin.__class__} == {UsageTotals}
    assert twin.frozen_type is UsageTotals
    assert [getattr(twin, field.name) for field in dataclasses.fields(UsageTotals)] == list(dataclasses.astuple(totals))
    twin.input_tokens = 7
    assert totals.input_tokens == 1
    with pytest.raises(AttributeError):
        twin.tokens = 1
