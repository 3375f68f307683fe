"""Secrets and personal data, taken out of events before anything durable sees them (docs/masking.md)."""

from runledger.producers.masking.events import mask_event
from runledger.producers.masking.masker import Masker, masker_of
from runledger.producers.masking.own import MaskPatternError

__all__ = ["MaskPatternError", "Masker", "mask_event", "masker_of"]
