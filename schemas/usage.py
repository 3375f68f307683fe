"""Token usage: as an agent reports it, and as the ledger adds it up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from runledger.schemas.values import CostUsd, Count, Name, Summary

CostSource: TypeAlias = Literal["reported", "estimated", "mixed", "unknown"]


class TokenUsage(BaseModel):
    """Usage of one report, or the final usage of a run (Run Tools, `token_usage`).

    A field left out is unknown, not zero. Cached tokens are part of `input_tokens` and reasoning tokens part of
    `output_tokens`, as in OpenTelemetry's conventions for generative AI.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    input_tokens: Count | None = Field(default=None, description="Input tokens, cached ones included.")
    output_tokens: Count | None = Field(default=None, description="Output tokens, reasoning included.")
    total_tokens: Count | None = Field(default=None, description="All tokens; input plus output if left out.")
    cost_usd: CostUsd | None = Field(
        default=None, description="Cost in US dollars; estimated from the model if left out and the model is known."
    )
    model: Name | None = Field(default=None, description="Model identifier, such as claude-opus-4.")
    llm_calls: Count | None = Field(default=None, description="Number of calls of language models.")
    prompt_preview: Summary | None = Field(default=None, description="Sanitized excerpt of a prompt.")
    cache_read_tokens: Count | None = Field(default=None, description="Input tokens read from a cache.")
    cache_write_tokens: Count | None = Field(default=None, description="Input tokens written to a cache.")
    reasoning_tokens: Count | None = Field(default=None, description="Output tokens spent on reasoning.")


@dataclass(frozen=True, slots=True)
class UsageTotals:
    """Sums in tokens, calls and US dollars; None where nothing was ever reported."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    cost_usd: CostUsd | None = None
    llm_calls: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
