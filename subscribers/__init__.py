"""Read what the ledger says, as it says it: typed records from the topics."""

from runledger.subscribers.errors import SubscriptionError
from runledger.subscribers.received import Received, Tombstone
from runledger.subscribers.subscribing import subscribe
from runledger.subscribers.subscription import Subscription

__all__ = ["Received", "Subscription", "SubscriptionError", "Tombstone", "subscribe"]
