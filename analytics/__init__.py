"""Reading: what the tables say. Nothing here writes."""
