"""An exception as a recorded failure, within the event model's limits."""

from __future__ import annotations

import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from runledger.producers.masking import Masker
from runledger.schemas.values import MAX_ERROR, MAX_SUMMARY


@dataclass(frozen=True, slots=True)
class FailureText:
    """The summary, the error and the meta of a recorded failure."""

    summary: str
    error: str
    meta: dict[str, Any] = field(default_factory=dict)


_WINDOW = 64 * 1024
"""Characters that are masked before the cut: more than any limit, and little enough not to hold up the program."""


def describe_exception(error: BaseException, masker: Masker) -> FailureText:
    """Put an exception into words: its type and message, its traceback, and what had to be left out.

    Of a traceback over 8000 characters the last 8000 are kept, since the error itself stands at its end; of a long
    message the first 2000. `meta` then says how long the whole was. Characters that no database takes (NUL, lone
    surrogates) are written as escapes. Secrets are masked before the cut, which could leave half of one unrecognised.
    """
    summary = _storable("".join(traceback.format_exception_only(error)).strip())
    trace = _storable("".join(traceback.format_exception(error)))
    meta: dict[str, Any] = {"exception": _storable(type(error).__qualname__)}
    if len(summary) > MAX_SUMMARY:
        meta |= {"summary_kept": f"first {MAX_SUMMARY} characters", "summary_characters": len(summary)}
    if len(trace) > MAX_ERROR:
        meta |= {"error_kept": f"last {MAX_ERROR} characters", "error_characters": len(trace)}
    return FailureText(
        masker.mask_text(summary[:_WINDOW], MAX_SUMMARY)[:MAX_SUMMARY],
        masker.mask_text(trace[-_WINDOW:], MAX_ERROR)[-MAX_ERROR:],
        meta,
    )


_RECORDED: Final = "__runledger_recorded__"


def mark_recorded(error: BaseException, run_id: UUID) -> None:
    """Note on an exception that it stands in a run's ledger, so that the run's end does not tell it a second time."""
    with suppress(AttributeError, TypeError):  # an exception without a __dict__ carries no notes
        setattr(error, _RECORDED, (*getattr(error, _RECORDED, ()), run_id))


def is_recorded(error: BaseException, run_id: UUID) -> bool:
    """Tell whether an exception was told as a failure of that run already."""
    return run_id in getattr(error, _RECORDED, ())


def _storable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode().replace("\x00", "\\x00")
