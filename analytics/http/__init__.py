"""The read API: what the ledger says, over HTTP (docs/reading.md)."""
