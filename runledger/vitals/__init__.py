"""How a worker does: health, metrics and the watchdog that ends it where only a new process helps."""

from runledger.vitals.composing import keeper_of
from runledger.vitals.dependencies import BrokerView, DatabaseView, Remembered
from runledger.vitals.keeper import Keeper
from runledger.vitals.loops import beat_for_ever, beating
from runledger.vitals.process import count, kept_by, observe, put, told_to_end, watch
from runledger.vitals.settings import VitalsSettings
from runledger.vitals.watchdog import Work
from runledger.vitals.watched import Partition, Pulse, Watched

__all__ = [
    "BrokerView",
    "DatabaseView",
    "Keeper",
    "Partition",
    "Pulse",
    "Remembered",
    "VitalsSettings",
    "Watched",
    "Work",
    "beat_for_ever",
    "beating",
    "count",
    "keeper_of",
    "kept_by",
    "observe",
    "put",
    "told_to_end",
    "watch",
]
