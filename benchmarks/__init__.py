"""Benchmarks: one file per claim, our parts and their peers side by side on the same topic and the same events.

`python -m benchmarks` starts a broker and a database, runs the contestants in turn, checks what each of them came to
and writes benchmarks/results.json and docs/benchmarks.md. A wrong sum, ours or a peer's, fails the benchmark.
"""
