"""Scorers: each judges one run by one rubric."""

from runledger.scoring.scorers.base import Scorer, Scores
from runledger.scoring.scorers.heuristic import HeuristicScorer
from runledger.scoring.scorers.registry import load_scorers

__all__ = ["HeuristicScorer", "Scorer", "Scores", "load_scorers"]
