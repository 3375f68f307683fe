"""Runledger: the exact ledger of AI-agent runs."""
