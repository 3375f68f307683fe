"""SQL of the watch, one statement per file."""
