"""Options that belong together: the command takes them as one value, the command line as options of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any, get_type_hints


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take dataclasses: each field of one is an option or an argument, in the dataclass's place.

    typer knows no such groups, so it is shown a signature in which the fields stand.
    """
    own = _parameters(command)
    groups: dict[str, type[Any]] = {
        parameter.name: parameter.annotation
        for parameter in own
        if isinstance(parameter.annotation, type) and is_dataclass(parameter.annotation)
    }
    shown = [
        part
        for parameter in own
        for part in (_parameters(groups[parameter.name]) if parameter.name in groups else [parameter])
    ]

    @wraps(command)
    def flat(**given: Any) -> None:  # noqa: ANN401  # whatever the options are
        values = {
            name: group(**{field.name: given.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        command(**given, **values)

    flat.__signature__ = Signature(shown)  # type: ignore[attr-defined]  # `inspect.signature` looks for it
    flat.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
    return flat


def _parameters(of: Callable[..., object]) -> list[Parameter]:
    hints = get_type_hints(of, include_extras=True)
    return [
        parameter.replace(annotation=hints[parameter.name], kind=Parameter.KEYWORD_ONLY)
        for parameter in signature(of).parameters.values()
    ]
