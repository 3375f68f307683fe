"""The doctor at real set-ups, most of them broken on purpose."""
