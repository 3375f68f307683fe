"""Errors of the doors.

ProducerError
└── InvalidParameterError    a parameter breaks a rule; names it as the caller does
"""

from __future__ import annotations

from pydantic import ValidationError

from runledger.producers.errors import ProducerError

_LONGEST_FIELD = 200


class InvalidParameterError(ProducerError):
    """A parameter breaks a rule; nothing was sent.

    Args:
        field: dotted path of the offending parameter, in the door's own names.
        reason: what is wrong with it; never holds the value.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason

    @classmethod
    def from_validation(cls, error: ValidationError, whole: str) -> InvalidParameterError:
        """Name the first offending parameter.

        Args:
            error: pydantic's.
            whole: what to call the document itself.
        """
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        if first["type"] != "json_value":
            return cls(_shortened(field or whole), first["msg"])
        within, why = first["ctx"]["path"], first["ctx"]["why"]
        return cls(_shortened(field if within == "value" else f"{field}.{within}"), why)


def _shortened(field: str) -> str:
    """Keep a path sayable: a caller's own keys stand in it."""
    return field if len(field) <= _LONGEST_FIELD else field[:_LONGEST_FIELD] + "…"
