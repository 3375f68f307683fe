"""The list of mutants fits the code as it is: each changes its file, in one place, into another program."""

from __future__ import annotations

import ast

import pytest

from tests.mutants.mutants import MUTANTS, Mutant
from tests.mutants.runner import ROOT, mutate


def source(mutant: Mutant) -> str:
    return (ROOT / "processors" / f"{mutant.module}.py").read_text()


@pytest.mark.parametrize("mutant", MUTANTS, ids=[f"{mutant.module}-{n}" for n, mutant in enumerate(MUTANTS)])
def test_a_mutant_changes_one_place_of_its_file_and_is_still_python(mutant: Mutant) -> None:
    text = source(mutant)
    assert text.count(mutant.original) == 1
    assert ast.dump(ast.parse(mutate(text, mutant))) != ast.dump(ast.parse(text))


def test_a_mutant_that_no_longer_fits_is_refused() -> None:
    with pytest.raises(ValueError, match="occurs 0 times"):
        mutate("x = 1", Mutant("ledger", "y = 1", "y = 2", "nothing"))
    with pytest.raises(ValueError, match="occurs 2 times"):
        mutate("x = 1; x = 1", Mutant("ledger", "x = 1", "x = 2", "nothing"))


def test_every_reducer_has_mutants() -> None:
    modules = {"ledger", "usage", "outcomes", "deadlines", "streaks", "incidents", "silence", "dedupe", "fold"}
    assert modules | {"timers", "state", "pricing"} <= {mutant.module for mutant in MUTANTS}
    assert len(MUTANTS) >= 40
