"""Judgements: pure functions from facts to findings."""
