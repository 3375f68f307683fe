"""The tables, as numbered SQL files run by Alembic; an applied file never changes."""
