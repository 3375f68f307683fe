"""What a tool's caller is told when it does not work."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from fastmcp.exceptions import ToolError
from fastmcp.exceptions import ValidationError as BadArguments
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools import ToolResult
from mcp_types import CallToolRequestParams
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from runledger.access.errors import BadKeyError, ForbiddenError, UnavailableError
from runledger.producers.errors import ProducerError

_MOST_TOLD = 5
_PLAINER = {
    "dict_type": "must be a JSON object",
    "list_type": "must be a JSON array",
    "model_type": "must be a JSON object",
    "missing_argument": "is required",
    "unexpected_keyword_argument": "is not a parameter of this tool",
    "extra_forbidden": "is not a field of this object",
}
"""What pydantic says in Python's words."""


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn what may go wrong in a tool into a tool error that says what to do."""
    try:
        yield
    except (BadKeyError, ForbiddenError, ProducerError) as error:
        raise refusal(str(error)) from error
    except UnavailableError as error:
        raise refusal(f"{error}; nothing was recorded. Call again in some seconds.") from error
    except ConnectionError as error:
        raise refusal(f"{error}. Call again in some seconds.") from error


def refusal(message: str) -> ToolError:
    """Make a tool error that is no fault of the server: it is logged as information only."""
    return ToolError(message, log_level=logging.INFO)


class NameArguments(Middleware):
    """Say of wrong arguments which ones they are and what their limits are, and never repeat a value."""

    async def on_call_tool(
        self, context: MiddlewareContext[CallToolRequestParams], call_next: CallNext[CallToolRequestParams, ToolResult]
    ) -> ToolResult:
        """Run the tool; name the arguments that are wrong, if any are."""
        try:
            return await call_next(context)
        except BadArguments as error:
            cause = error.__cause__
            if not isinstance(cause, ValidationError):
                raise
            raise refusal(_told(cause)) from error


def _told(error: ValidationError) -> str:
    details = error.errors(include_input=False, include_url=False)
    told = [_one(detail) for detail in details[:_MOST_TOLD]]
    return "; ".join(told if len(details) <= _MOST_TOLD else [*told, "and more"])


def _one(detail: ErrorDetails) -> str:
    field = ".".join(str(part) for part in detail["loc"]) or "arguments"
    if detail["type"] != "json_value":
        return f"{field}: {_PLAINER.get(detail['type'], detail['msg'])}"
    within, why = detail["ctx"]["path"], detail["ctx"]["why"]
    return f"{field if within == 'value' else f'{field}.{within}'}: {why}"
