from __future__ import annotations

import math

import pytest

from runledger.scoring.scorers import Scores


def test_scores_at_the_edges_are_taken() -> None:
    assert Scores({"low": 0.0, "high": 1.0}, 0.5).dimensions == {"low": 0.0, "high": 1.0}


@pytest.mark.parametrize("score", [-0.01, 1.01, math.nan, math.inf])
def test_a_dimension_outside_is_refused_by_name(score: float) -> None:
    with pytest.raises(ValueError, match="tone must lie"):
        Scores({"tone": score}, 0.5)


def test_an_overall_outside_is_refused() -> None:
    with pytest.raises(ValueError, match="overall"):
        Scores({"tone": 0.5}, 1.5)


def test_no_dimension_is_refused() -> None:
    with pytest.raises(ValueError, match="dimension"):
        Scores({}, 0.5)
