"""What the OpenAI client answers, as model calls. Pure: nothing here imports the client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from runledger.integrations.model_calls import ModelCall
from runledger.integrations.previews import last_user_text
from runledger.integrations.usage import usage_fields
from runledger.producers.open_run import OpenRun

_FINAL_EVENTS: Final = {"response.completed", "response.incomplete", "response.failed"}


class ResponseFailedError(Exception):
    """A response that came back as failed: what the Responses API says instead of an error status."""


@dataclass(slots=True)
class Observed:
    """One call while it runs: what was asked, and what is seen of the answer. `finished` gives the call once.

    Args:
        kind: what was called, in words.
        asked: the arguments of the call.
        run: the run it belongs to; None makes it a run of its own.
        fresh_id: makes an id for what has none.
    """

    kind: str
    asked: Mapping[str, Any]
    run: OpenRun | None
    fresh_id: Callable[[], str]
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    prompt: str | None = field(init=False)
    _answer: object = None
    _usage: object = None
    _error: ResponseFailedError | None = None
    _told: bool = False

    def __post_init__(self) -> None:
        # Read now: the caller may add the answer to its list of messages before the call is over.
        self.prompt = last_user_text(self.asked.get("messages", self.asked.get("input")))

    def see(self, part: object) -> None:
        """Take note of an answer, a chunk of one, or an event of a streamed response."""
        kind = getattr(part, "type", None)
        if kind == "error":
            self._error = _failed(part)
            return
        if isinstance(kind, str) and kind.startswith("response."):
            if kind in _FINAL_EVENTS:
                self.see(getattr(part, "response", None))
            return
        self._answer = part
        self._usage = getattr(part, "usage", None) or self._usage

    def finished(self, error: BaseException | None = None) -> ModelCall | None:
        """Give the call as it ended; None if it was given before."""
        if self._told:
            return None
        self._told = True
        answer = self._answer
        return ModelCall(
            library="openai",
            kind=self.kind,
            model=str(getattr(answer, "model", None) or self.asked.get("model") or ""),
            call_id=_id_of(answer) or self.fresh_id(),
            run=self.run,
            usage=usage_fields(self._usage),
            error=error or self._error or _failure_in(answer),
            prompt=self.prompt,
            started_at=self.started_at,
        )


def only_tells_usage(chunk: object) -> bool:
    """Tell whether a chunk is the one that `include_usage` adds: usage without a choice."""
    return getattr(chunk, "usage", None) is not None and not getattr(chunk, "choices", None)


def _id_of(answer: object) -> str | None:
    """Make an id of an answer's own and its time: some servers draw their ids from a small range."""
    answer_id = getattr(answer, "id", None)
    if not isinstance(answer_id, str) or not answer_id:
        return None
    return f"{answer_id}/{getattr(answer, 'created', None) or getattr(answer, 'created_at', None)}"


def _failure_in(answer: object) -> ResponseFailedError | None:
    return _failed(getattr(answer, "error", None)) if getattr(answer, "status", None) == "failed" else None


def _failed(error: object) -> ResponseFailedError:
    return ResponseFailedError(f"{getattr(error, 'code', None)}: {getattr(error, 'message', None)}")
