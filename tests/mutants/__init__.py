"""Mutants of the reducers, and a runner that shows how many of them the tests notice: `python -m tests.mutants`."""
