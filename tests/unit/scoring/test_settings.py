from __future__ import annotations

import pytest
from pydantic import ValidationError

from runledger.scoring.settings import ScoringSettings


def test_scorers_are_divided_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNLEDGER_SCORERS", "heuristic, judge,")
    assert ScoringSettings().scorers == ("heuristic", "judge")


def test_no_scorer_at_all_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNLEDGER_SCORERS", " ")
    with pytest.raises(ValidationError, match="scorers"):
        ScoringSettings()
