import dataclasses

import pytest

from runledger.processors.evolve import evolve, freeze, thaw
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


def test_a_draft_is_changed_in_place_and_its_record_is_not() -> None:
    run = RunSnapshot("p", RUN, 1, 2, NOON)
    draft = thaw(run)
    assert thaw(draft) is draft
    draft.version = 7
    assert freeze(draft) is draft
    assert draft == dataclasses.replace(run, version=7)
    with pytest.raises(dataclasses.FrozenInstanceError):
        draft.version = 8
    assert run.version == 2


def test_a_draft_has_no_other_fields_than_its_record() -> None:
    with pytest.raises(AttributeError):
        thaw(UsageTotals()).tokens = 1


def test_what_is_no_draft_stays_as_it_is() -> None:
    run = RunSnapshot("p", RUN, 1, 2, NOON)
    assert freeze(run) is run
    assert freeze(None) is None
