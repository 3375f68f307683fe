"""The local stack: a real Kafka, a real Postgres and the pipeline's processes, without Docker.

`Stack` starts and stops one, `discover` finds a running one; `runledger up`, `status` and `down` are built on them.
"""

from runledger.stack.addresses import Addresses
from runledger.stack.errors import ServerFailedError, StackError
from runledger.stack.local import Stack, discover
from runledger.stack.paths import StackFolder
from runledger.stack.plan import Plan

__all__ = ["Addresses", "Plan", "ServerFailedError", "Stack", "StackError", "StackFolder", "discover"]
