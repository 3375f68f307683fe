"""The secret by which whoever may read the stack's folder lets a browser in, without a key."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

from runledger.analytics.dashboard.links import make_link
from runledger.stack.errors import explained_disk_errors
from runledger.stack.files import write_privately
from runledger.stack.state import StackState

_BYTES = 32


def settle_link_secret(path: Path) -> str:
    """Give the secret; it is made at the first start."""
    with explained_disk_errors(path.parent):
        try:
            return path.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            secret = secrets.token_urlsafe(_BYTES)
            write_privately(path, secret + "\n")
            return secret


def browser_link(state: StackState, path: Path) -> str | None:
    """Make a link that logs a browser in once; None where no dashboard runs.

    Args:
        state: of the stack.
        path: where its secret is.
    """
    if state.dashboard is None:
        return None
    return make_link(state.dashboard, settle_link_secret(path), time.time())
