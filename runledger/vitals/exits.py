"""With which codes a worker ends, and what each asks of whoever started it."""

from __future__ import annotations

EXIT_CRASHED = 70
"""sysexits.h: internal software error. Started again, the process goes on from its position."""
EXIT_STUCK = 75
"""sysexits.h: temporary failure. The watchdog found no progress though there was work; started again, it goes on."""
EXIT_STOPPED = 78
"""sysexits.h: configuration error. Starting again does not help before a person has looked."""
EXIT_CUT_OFF = 124
"""As timeout(1) has it: told to end, the process was not done within its bound. Nothing is lost by that."""
