"""Does a record keep its topic's contract: value, key and headers? Needs the extra `contracts` (jsonschema-rs).

It is stricter than the ledger's own readers, which take a missing `specversion`, or a time told as a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from runledger.contracts.contracts import Contract
from runledger.contracts.files import schema_of
from runledger.contracts.json_schemas import KAFKA

try:
    from jsonschema_rs import Draft202012Validator
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("validating needs more: pip install 'runledger[contracts]'") from error

_HIDDEN = "it"
"""Stands for the value in what is said of it: payloads are not for logs."""


class ContractValidator:
    """Holds records of one topic against its contract.

    Args:
        contract: of the topic.
    """

    def __init__(self, contract: Contract) -> None:
        schema = schema_of(contract)
        kafka, definitions = schema[KAFKA], schema["$defs"]
        self._messages = {
            _type_of(definitions[message.__name__]): _validator(
                {"$ref": f"#/$defs/{message.__name__}", "$defs": definitions}
            )
            for message in contract.messages
        }
        self._key, self._headers = _validator(kafka["key"]), _validator(kafka["headers"])
        self._tombstone_headers = _validator(kafka["tombstone_headers"] or False)

    def complaints(self, key: str, value: bytes | None, headers: Iterable[tuple[str, bytes | None]]) -> Iterator[str]:
        """Say what breaks the contract, each with its place and without the value; nothing if all is well."""
        told = {name: (content or b"").decode(errors="replace") for name, content in headers}
        yield from _complaints(self._key, key, "key")
        yield from _complaints(self._tombstone_headers if value is None else self._headers, told, "headers")
        if value is not None:
            yield from self._of_value(value)

    def _of_value(self, value: bytes) -> Iterator[str]:
        try:
            document = orjson.loads(value)
        except orjson.JSONDecodeError:
            yield "value: it is not JSON"
            return
        named = document.get("type") if isinstance(document, dict) else None
        message = self._messages.get(named if isinstance(named, str) else None) or self._messages.get(None)
        if message is None:
            yield "value.type: it is none of the topic's messages"
        else:
            yield from _complaints(message, document, "value")


def _validator(schema: dict[str, Any] | bool) -> Draft202012Validator:
    return Draft202012Validator(schema, validate_formats=True, mask=_HIDDEN)


def _type_of(definition: Mapping[str, Any]) -> str | None:
    """What tells a message from the topic's others; None where there are none."""
    named: str | None = definition["properties"].get("type", {}).get("const")
    return named


def _complaints(validator: Draft202012Validator, document: object, name: str) -> Iterator[str]:
    for error in validator.iter_errors(document):
        yield f"{'.'.join([name, *map(str, error.instance_path)])}: {error.message}"
