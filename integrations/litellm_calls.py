"""What LiteLLM hands to its loggers, as model calls. Pure: nothing here imports LiteLLM."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from runledger.integrations.model_calls import ModelCall
from runledger.integrations.previews import last_user_text
from runledger.integrations.usage import usage_fields
from runledger.producers.building import UsageFields
from runledger.producers.open_run import OpenRun

RUN_ID: Final = "runledger_run_id"
"""Key of LiteLLM's `metadata` that names a call's run."""
CAUGHT_RUN: Final = "runledger_run"
"""Key of a call's own details under which the caller's run is kept until the call is over."""

_LOG = logging.getLogger(__name__)
_KINDS: Final = {"completion": "chat completion", "responses": "response", "text_completion": "completion"}


def failed_call(kwargs: Mapping[str, Any], times: tuple[object, object], project: str) -> ModelCall:
    """Read a call that failed; the arguments are those of `answered_call`."""
    error = kwargs.get("exception")
    call = answered_call(kwargs, None, times, project)
    return replace(call, error=error if isinstance(error, BaseException) else RuntimeError("LiteLLM gave no reason"))


def answered_call(kwargs: Mapping[str, Any], answer: object, times: tuple[object, object], project: str) -> ModelCall:
    """Read a call that was answered. After a fallback LiteLLM's details still hold the earlier attempt's exception.

    Args:
        kwargs: LiteLLM's details of the call.
        answer: its response; None if there is none.
        times: when it began and ended, as LiteLLM says it.
        project: of the run that the call's metadata may name.
    """
    kind = str(kwargs.get("call_type") or "call").removeprefix("a")
    model = str(kwargs.get("model") or "")
    return ModelCall(
        library="litellm",
        kind=_KINDS.get(kind, kind),
        model=model,
        # Fallbacks try other models under the same id.
        call_id=f"{kwargs.get('litellm_call_id')}/{model}",
        run=run_of(kwargs, project),
        usage=used(kwargs, answer),
        prompt=last_user_text((kwargs.get("standard_logging_object") or kwargs).get("messages")),
        started_at=_aware(times[0]),
        ended_at=_aware(times[1]),
    )


def used(kwargs: Mapping[str, Any], answer: object) -> UsageFields:
    """Read tokens and cost. An answer from LiteLLM's own cache used nothing; a cost without tokens is not one.

    Where LiteLLM does not know the price, the ledger estimates it.
    """
    if kwargs.get("cache_hit"):
        return UsageFields(llm_calls=0, input_tokens=0, output_tokens=0, cost_usd=0)
    # Of a stream that broke off LiteLLM knows only what it counted itself.
    usage = kwargs.get("combined_usage_object") if answer is None else _usage_of(answer)
    told = usage_fields(usage)
    cost_usd = kwargs.get("response_cost")
    if isinstance(cost_usd, (int, float)) and (cost_usd > 0 or (told and answer is not None)):
        told["cost_usd"] = cost_usd
    return told


def run_of(kwargs: Mapping[str, Any], project: str) -> OpenRun | None:
    """Find a call's run: the one its metadata names, else the one it was made in; None if there is neither."""
    caught = kwargs.get(CAUGHT_RUN)
    around = caught if isinstance(caught, OpenRun) else None
    named = _named_run(kwargs)
    if named is None or (around is not None and around.run_id == named):
        return around
    return OpenRun(project, "", named)


def _named_run(kwargs: Mapping[str, Any]) -> UUID | None:
    params = kwargs.get("litellm_params") or {}
    for name in ("metadata", "litellm_metadata"):
        metadata = params.get(name)
        if isinstance(metadata, Mapping) and (run_id := metadata.get(RUN_ID)) is not None:
            try:
                return UUID(str(run_id))
            except ValueError:
                _LOG.warning("%s in the metadata of a call is not a UUID", RUN_ID)
    return None


def _usage_of(answer: object) -> object:
    return answer.get("usage") if isinstance(answer, Mapping) else getattr(answer, "usage", None)


def _aware(time: object) -> datetime:
    if isinstance(time, datetime):
        return time.astimezone(UTC)  # LiteLLM's are naive, in local time
    return datetime.now(UTC)
