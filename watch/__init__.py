"""Watches the pipeline from outside: how far it has come (watermark), and who wants to hear of incidents (webhooks)."""
