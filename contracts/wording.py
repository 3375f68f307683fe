"""What a field means: from the docstring beside it, else by its name. Nothing is left without words."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache
from itertools import pairwise
from typing import Any

from runledger.contracts.words import WORDS

UNITS = {"_tokens": "tokens", "_usd": "US dollars", "_seconds": "seconds"}
"""{ending of a field's name: unit}, as names have them."""


def unit_of(name: str) -> str | None:
    """Return the unit in which a field counts; None where it has none."""
    return next((unit for ending, unit in UNITS.items() if name.endswith(ending)), None)


def wording_of(record_type: type[Any], name: str) -> str:
    """Return the sentence that describes a field.

    Raises:
        LookupError: nobody described it; say so beside the field, or in `WORDS`.
    """
    beside = _beside(record_type)  # type: ignore[arg-type]  # types are hashable
    own = beside.get(name) or WORDS.get(f"{record_type.__name__}.{name}") or WORDS.get(name)
    if own is None:
        raise LookupError(f"{record_type.__name__}.{name} is not described: neither beside it nor in words.py")
    return own


def summary_of(record_type: type[Any]) -> str:
    """Return the first sentence about a record type, without the source that it names in brackets."""
    first = inspect.cleandoc(record_type.__doc__ or "").partition("\n\n")[0].replace("\n", " ")
    return first.partition(" (Run Tools")[0].partition(" (Agent Run Log")[0].rstrip(".") + "."


@cache
def _beside(record_type: type[Any]) -> dict[str, str]:
    """Docstrings that stand below the fields of a class: {field: text}."""
    (found,) = ast.parse(textwrap.dedent(inspect.getsource(record_type))).body
    body = found.body if isinstance(found, ast.ClassDef) else []
    told: dict[str, str] = {}
    for field, below in pairwise(body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                told[name] = " ".join(text.split())
            case _:
                pass
    return told
