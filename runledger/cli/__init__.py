"""The command line: one module per command; this one only puts them together."""

from __future__ import annotations

from runledger.cli.app import run

__all__ = ["run"]
