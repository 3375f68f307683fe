"""Statements of the sinks; see `runledger.sinks.statements`."""
