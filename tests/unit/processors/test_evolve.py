import dataclasses

import pytest

from runledger.processors.evolve import builder_of, evolve
from runledger.schemas.snapshots import RunSnapshot
from runledger.schemas.usage import UsageTotals
from tests.unit.processors.histories import NOON, RUN


def test_evolve_gives_what_replace_gives() -> None:
    run = RunSnapshot("p", RUN, 1, 2, NOON)
    copy = evolve(run, version=7, models=("a",))
    assert copy == dataclasses.replace(run, version=7, models=("a",))
    assert type(copy) is RunSnapshot
    assert run.version == 2


def test_evolve_keeps_the_copy_frozen() -> None:
    copy = evolve(UsageTotals(), input_tokens=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        copy.input_tokens = 2  # type: ignore[misc]  # that is the point


def test_evolve_refuses_an_unknown_field() -> None:
    with pytest.raises(AttributeError):
        evolve(UsageTotals(), tokens=1)  # type: ignore[call-arg]  # that is the point


def test_a_builder_makes_what_the_type_makes() -> None:
    build = builder_of(UsageTotals)
    made = build(1, 2, 3, None, 4, None, None, 5)
    assert made == UsageTotals(1, 2, 3, None, 4, None, None, 5)
    assert type(made) is UsageTotals
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.input_tokens = 2  # type: ignore[misc]  # that is the point
