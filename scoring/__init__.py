"""Scoring: workers that take jobs from scoring-jobs and answer on run-scores."""
