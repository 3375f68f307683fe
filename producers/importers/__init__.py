"""Runs from files, as the events their agents would have sent."""

from runledger.producers.importers.reading import read_events
from runledger.producers.importers.replaying import replay

__all__ = ["read_events", "replay"]
