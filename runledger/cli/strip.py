"""An agent's last outcomes as a strip of blocks: a dip is a failure, shade is a run that shows nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

from rich.text import Text

from runledger.analytics.strips import STRIP_OUTCOMES
from runledger.schemas.outcomes import OutcomeStatus

Mark: TypeAlias = Literal["success", "partial", "silent", "failed"]
_BLOCKS: dict[Mark, tuple[str, str]] = {
    "success": ("█", "green"),
    "partial": ("▄", "yellow"),
    "silent": ("░", "cyan"),
    "failed": ("▁", "red"),
}
"""{what a run came to: (its block, its colour)}: shapes tell them apart where there is no colour."""


class Outcome(Protocol):
    """What a strip needs of a finished run."""

    @property
    def status(self) -> OutcomeStatus:
        """How it ended."""

    @property
    def silent(self) -> bool:
        """Whether it shows no meaningful output."""


def mark_of(outcome: Outcome) -> Mark:
    """Say what a run came to; that it failed says more than that it was silent."""
    if outcome.status == "failed":
        return "failed"
    return "silent" if outcome.silent else outcome.status


def strip_text(outcomes: Sequence[Outcome], columns: int = STRIP_OUTCOMES) -> Text:
    """Draw the newest outcomes, the newest last.

    Args:
        outcomes: the oldest first.
        columns: at most so many.
    """
    drawn = Text()
    for outcome in outcomes[-columns:]:
        drawn.append(*_BLOCKS[mark_of(outcome)])
    return drawn


def legend() -> Text:
    """Say what the blocks mean."""
    said = Text(style="dim")
    for mark, (block, style) in _BLOCKS.items():
        said.append("  " if said else "")
        said.append(block, style)
        said.append(f" {mark}")
    return said.append("  newest last")
