from __future__ import annotations

from pathlib import Path

import pytest

from runledger.schemas.scoring import DEFAULT_RUBRIC
from runledger.scoring.errors import UnknownScorerError
from runledger.scoring.scorers import HeuristicScorer, load_scorers

JUDGE = """
from runledger.scoring.scorers import Scores

class Judge:
    name = "judge/1"
    rubric = "judge.v1"

    def score(self, job):
        return Scores({"taste": 1.0}, 1.0)
"""


def test_the_built_in_scorer_is_found_by_name() -> None:
    scorers = load_scorers(["heuristic"])
    assert scorers.keys() == {DEFAULT_RUBRIC}
    assert isinstance(scorers[DEFAULT_RUBRIC], HeuristicScorer)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownScorerError, match="no scorer is named judge; there are: heuristic"):
        load_scorers(["judge"])


def test_two_scorers_of_one_rubric_are_refused() -> None:
    with pytest.raises(UnknownScorerError, match="both score by"):
        load_scorers(["heuristic", "heuristic"])


def test_another_package_brings_a_scorer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "courtroom.py").write_text(JUDGE)
    metadata = tmp_path / "courtroom-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: courtroom\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[runledger.scorers]\njudge = courtroom:Judge\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load_scorers(["heuristic", "judge"])["judge.v1"].name == "judge/1"
