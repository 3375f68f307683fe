"""What the doctor asks of the database; one question per file."""
