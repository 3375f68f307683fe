"""May a contract change like this, or does it need a new version?

A topic is read by programs older than what writes it, and holds records older than what reads it. So a contract may
only grow, by fields that need not be there and by messages that can be told apart by their `type`. What already stands
in it keeps its name, its type, its values, its limits, its default and its unit: a record that is valid by one side's
contract is valid by the other's, and says the same. Everything else is a new version, and the old one stays readable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal, TypeAlias

from runledger.contracts.json_schemas import KAFKA, UNIT

Schema: TypeAlias = Mapping[str, Any]
Rule: TypeAlias = Literal[
    "topic changed",
    "message removed",
    "field removed",
    "field required",
    "field no longer required",
    "type changed",
    "values changed",
    "limit changed",
    "default changed",
    "unit changed",
]
_RULES: Mapping[str, Rule] = {
    "type": "type changed",
    "format": "type changed",
    "const": "values changed",
    "enum": "values changed",
    "default": "default changed",
    UNIT: "unit changed",
}
"""{keyword: what a change of it breaks}; of every other one it is a limit."""
_BESIDE = {"default", UNIT}
"""What is said of a field, and not of what may stand there."""
_SAYS_NOTHING = {"title", "description", "examples", "$schema", "$id", "$defs", KAFKA, "discriminator"}
_FOLLOWED = {"properties", "required", "items", "prefixItems", "additionalProperties", "anyOf", "oneOf", "$ref"}
_TOPIC_FACTS = ("topic", "partitioner")
_TOPIC_SETTINGS = ("cleanup.policy", "message.timestamp.type")
_ABSENT = "nothing"


@dataclass(frozen=True, slots=True)
class Breach:
    """A change that needs a new version.

    Args:
        contract: name of the contract, such as runs.v1.
        path: dotted way to the field; empty for the topic itself.
        rule: which rule it breaks.
        detail: what was, and what would be.
    """

    contract: str
    path: str
    rule: Rule
    detail: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.contract}: {self.path or 'the topic'}: {self.rule}: {self.detail}"


def breaches(released: Mapping[str, Schema], current: Mapping[str, Schema]) -> Iterator[Breach]:
    """Compare contracts, both by name; a topic whose contract has a higher version by now may differ."""
    versions = dict(map(_parts, current))
    for name, old in released.items():
        topic, number = _parts(name)
        if name in current:
            yield from dict.fromkeys(_Comparison(name, old, current[name]).breaches())
        elif versions.get(topic, 0) < number:
            yield Breach(name, "", "topic changed", "nobody promises it any more")


def _parts(name: str) -> tuple[str, int]:
    topic, _, number = name.rpartition(".v")
    return topic, int(number)


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Two forms of one contract; every reference is followed within its own."""

    name: str
    old: Schema
    new: Schema

    def breaches(self) -> Iterator[Breach]:
        """Walk both at once."""
        old, new = self.old[KAFKA], self.new[KAFKA]
        for fact in _TOPIC_FACTS:
            yield from self._same("", "topic changed", old[fact], new[fact])
        for setting in _TOPIC_SETTINGS:
            yield from self._same("", "topic changed", old["config"][setting], new["config"][setting])
        for part in ("key", "headers", "tombstone_headers"):
            yield from self._unions(part, old[part] or {}, new[part] or {})
        yield from self._unions("", self.old, self.new)

    def _same(self, path: str, rule: Rule, old: object, new: object) -> Iterator[Breach]:
        if old != new:
            yield Breach(self.name, path, rule, f"{_said(old)} became {_said(new)}")

    def _unions(self, path: str, old: Schema, new: Schema) -> Iterator[Breach]:
        """Compare what may stand at a place: one schema, or one of several."""
        branches, others = _branches(self.old, old), _branches(self.new, new)
        for kind, branch in branches.items():
            if kind in others:
                yield from self._schemas(path, branch, others[kind])
            else:
                yield Breach(self.name, path, "type changed" if path else "message removed", f"{kind} was allowed")
        told_apart = not path and "discriminator" in old
        for kind in others.keys() - branches.keys() if not told_apart else ():
            yield Breach(self.name, path, "type changed", f"{kind} was not allowed")

    def _schemas(self, path: str, old: Schema, new: Schema) -> Iterator[Breach]:
        known = _SAYS_NOTHING | _FOLLOWED | _BESIDE
        yield from self._keywords((old.keys() | new.keys()) - known, path, old, new)
        yield from self._fields(path, old, new)
        for part in ("items", "additionalProperties"):
            if part in old or part in new:
                yield from self._unions(f"{path}[]", _as_schema(old.get(part)), _as_schema(new.get(part)))
        pairs: Iterable[tuple[Schema, Schema]] = zip_longest(
            old.get("prefixItems", ()), new.get("prefixItems", ()), fillvalue={"not": {}}
        )
        for index, pair in enumerate(pairs):
            yield from self._unions(f"{path}[{index}]", *pair)

    def _keywords(self, keywords: Iterable[str], path: str, old: Schema, new: Schema) -> Iterator[Breach]:
        for keyword in sorted(keywords):
            rule = _RULES.get(keyword, "limit changed")
            yield from self._same(path, rule, _value(old, keyword), _value(new, keyword))

    def _fields(self, path: str, old: Schema, new: Schema) -> Iterator[Breach]:
        before, after = old.get("properties", {}), new.get("properties", {})
        needed, needs = set(old.get("required", ())), set(new.get("required", ()))
        for name, schema in before.items():
            place = f"{path}.{name}" if path else name
            if name not in after:
                yield Breach(self.name, place, "field removed", "or renamed")
                continue
            if name in needs - needed:
                yield Breach(self.name, place, "field required", "records without it were valid")
            if name in needed - needs:
                yield Breach(self.name, place, "field no longer required", "it stood in every record")
            yield from self._keywords(_BESIDE, place, schema, after[name])
            yield from self._unions(place, schema, after[name])
        for name in after.keys() & needs - before.keys():
            place = f"{path}.{name}" if path else name
            yield Breach(self.name, place, "field required", "records written before do not have it")


def _branches(root: Schema, schema: Schema) -> dict[str, Schema]:
    """What may stand at a place: {what tells it from the others: its schema}, references followed."""
    if "$ref" in schema:
        target: Schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
        return _branches(root, target)
    alternatives = schema.get("anyOf") or schema.get("oneOf")
    if alternatives is None and isinstance(schema.get("type"), list):
        alternatives = [_of_type(schema, named) for named in schema["type"] if named != "null" or _takes_null(schema)]
    if alternatives is None:
        return {_kind_of(schema): schema}
    return {kind: branch for part in alternatives for kind, branch in _branches(root, part).items()}


def _takes_null(schema: Schema) -> bool:
    return "enum" not in schema or None in schema["enum"]


def _of_type(schema: Schema, named: str) -> Schema:
    """What a schema of several types says of one of them."""
    if named == "null":
        return {"type": "null"}
    values = {"enum": [value for value in schema["enum"] if value is not None]} if "enum" in schema else {}
    return {**schema, **values, "type": named}


def _kind_of(schema: Schema) -> str:
    """A record's `type` where it has one, else the type of JSON value."""
    named = schema.get("properties", {}).get("type", {}).get("const")
    return str(named if named is not None else schema.get("type", "anything"))


def _as_schema(part: Schema | bool | None) -> Schema:
    """Return a schema for the short forms: true and nothing allow everything, false nothing."""
    if isinstance(part, Mapping):
        return part
    return {"not": {}} if part is False else {}


def _value(schema: Schema, keyword: str) -> object:
    value = schema.get(keyword, _ABSENT)
    return sorted(value, key=str) if isinstance(value, list) else value


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
