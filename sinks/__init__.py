"""From topics to Postgres: one writer, whose rows and positions move in one transaction."""
