"""Find scorers by name: our own, and those other packages bring by the entry point `runledger.scorers`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.metadata import entry_points

from runledger.scoring.errors import UnknownScorerError
from runledger.scoring.scorers.base import Scorer
from runledger.scoring.scorers.heuristic import HeuristicScorer

ENTRY_POINTS = "runledger.scorers"
_BUILT_IN: dict[str, Callable[[], Scorer]] = {"heuristic": HeuristicScorer}


def load_scorers(names: Iterable[str]) -> dict[str, Scorer]:
    """Make the scorers of these names; return {rubric: scorer}.

    Raises:
        UnknownScorerError: no scorer of a name is installed, or two claim the same rubric.
    """
    scorers: dict[str, Scorer] = {}
    for name in names:
        scorer = _find(name)()
        if scorer.rubric in scorers:
            raise UnknownScorerError(f"{name} and {scorers[scorer.rubric].name} both score by {scorer.rubric}")
        scorers[scorer.rubric] = scorer
    return scorers


def _find(name: str) -> Callable[[], Scorer]:
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    installed = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
    if name not in installed:
        known = ", ".join(sorted({*_BUILT_IN, *installed}))
        raise UnknownScorerError(f"no scorer is named {name}; there are: {known}")
    factory: Callable[[], Scorer] = installed[name].load()
    return factory
