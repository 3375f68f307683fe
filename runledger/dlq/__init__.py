"""Dead letters: find them, look at them, send their records again, mark them as dealt with (docs/dead-letters.md)."""
