"""One Alembic revision per numbered SQL file."""
