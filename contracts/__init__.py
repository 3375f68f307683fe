"""What Runledger promises to programs that read and write its topics, as JSON Schema and AsyncAPI."""

from runledger.contracts.contracts import CONTRACTS, Contract, contract_of
from runledger.contracts.files import schema_of

__all__ = ["CONTRACTS", "Contract", "contract_of", "schema_of"]
