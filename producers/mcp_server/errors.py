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

from runledger.access.errors import BadKeyError, ForbiddenError, UnavailableError
from runledger.producers.doors import InvalidParameterError
from runledger.producers.errors import ProducerError


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
    """Say of a wrong argument which one it is and what its limit is, and never repeat its value."""

    async def on_call_tool(
        self, context: MiddlewareContext[CallToolRequestParams], call_next: CallNext[CallToolRequestParams, ToolResult]
    ) -> ToolResult:
        """Run the tool; name the first wrong argument, if there is one."""
        try:
            return await call_next(context)
        except BadArguments as error:
            cause = error.__cause__
            if not isinstance(cause, ValidationError):
                raise
            raise refusal(str(InvalidParameterError.from_validation(cause, "arguments"))) from error
