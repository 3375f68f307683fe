"""Keep the process's own secrets out of whatever it prints.

Settings do not show them and no log line names them; but the words of a library's error are not ours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from urllib.parse import unquote, urlsplit

MASK = "***"
_SECRETS = ("RUNLEDGER_KAFKA_PASSWORD", "RUNLEDGER_KAFKA_KEY_PASSWORD", "RUNLEDGER_API_KEY")
_ADDRESSES = ("RUNLEDGER_POSTGRES", "RUNLEDGER_POSTGRES_READ")
_SHORTEST = 4
"""What is shorter stands in other words too, and protects nothing."""
_IN_ADDRESS = re.compile(r"(?P<before>[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s@]*(?=@)", re.IGNORECASE)
_IN_PARAMETER = re.compile(r"(?P<before>password\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&'\"]+)", re.IGNORECASE)

_UNQUOTED = re.compile(r"[@/:?#]")
"""Who leaves one of these unquoted in a password reads part of it as the name of a host or a port, in an error."""


def redactor(environ: Mapping[str, str]) -> Callable[[str], str]:
    """Make a function that takes the secrets of this environment, and any address's password, out of a text."""
    known = sorted({form for secret in _known(environ) for form in _forms(secret)}, key=len, reverse=True)

    def redact(text: str) -> str:
        for secret in known:
            text = text.replace(secret, MASK)
        text = _IN_ADDRESS.sub(rf"\g<before>{MASK}", text)
        return _IN_PARAMETER.sub(rf"\g<before>{MASK}", text)

    return redact


def _known(environ: Mapping[str, str]) -> Iterator[str]:
    for name in _SECRETS:
        yield environ.get(name, "")
    for name in _ADDRESSES:
        for password in _passwords(environ.get(name, "")):
            yield password
            yield from _UNQUOTED.split(password)


def _passwords(address: str) -> Iterator[str]:
    for found in (_IN_ADDRESS.search(address), _IN_PARAMETER.search(address)):
        if found is not None:
            yield found[0][len(found["before"]) :].strip("'")
    with suppress(ValueError):
        yield urlsplit(address).password or ""


def _forms(secret: str) -> Iterator[str]:
    """The secret as it is, as an address quotes it, and as JSON writes either."""
    for form in {secret, unquote(secret)}:
        if len(form) >= _SHORTEST:
            yield form
            yield json.dumps(form)[1:-1]
            yield repr(form)[1:-1]
