"""The routes of the gateway and the read API, from their OpenAPI documents."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from fastapi import FastAPI
from starlette.routing import Route

from reference.markdown import code, page, prose, section, table
from reference.schema_words import about, default, form, resolved, rows
from runledger.analytics.http.app import create_app as create_api
from runledger.analytics.http.settings import ApiSettings
from runledger.producers.gateway.app import create_app as create_gateway
from runledger.producers.gateway.settings import GatewaySettings

_INTERNAL = "/internal/openapi.json"
_METHODS = ("get", "post")
_UNSAID = "Successful Response"
"""FastAPI's words where nobody chose others."""
_INTRO = """
Every route, with its parameters and answers. Each process serves this as OpenAPI at `/openapi.json`, with the whole
of what it answers; the gateway's agent run log stands in `/internal/openapi.json`. How to use them: [emitting over
HTTP](../http.md), [OpenTelemetry](../opentelemetry.md), [reading](../reading.md). An error's body is `{"error":
{"code": …, "message": …}}`, with the `field` where one is wrong.
"""


def http_api_page() -> str:
    """Write the page."""
    return page("HTTP APIs", _INTRO, *(_document(title, document) for title, document in documents().items()))


def documents() -> dict[str, Mapping[str, Any]]:
    """Return the OpenAPI documents by what serves them."""
    gateway = create_gateway(GatewaySettings())
    return {
        "Gateway": gateway.openapi(),
        "Gateway, on a trusted listener": _served(gateway, _INTERNAL),
        "Read API": create_api(ApiSettings()).openapi(),
    }


def _served(app: FastAPI, path: str) -> Mapping[str, Any]:
    """Return a document that the application serves itself."""
    route = next(it for it in app.routes if isinstance(it, Route) and it.path == path)
    written = route.endpoint()
    if asyncio.iscoroutine(written):
        written = asyncio.run(written)
    answered: Mapping[str, Any] = written if isinstance(written, Mapping) else orjson.loads(written.body)
    return answered


def _document(title: str, document: Mapping[str, Any]) -> str:
    definitions = document.get("components", {}).get("schemas", {})
    routes = [
        (path, method, of[method]) for path, of in document["paths"].items() for method in _METHODS if method in of
    ]
    return section(
        2, title, prose(document["info"].get("description", "")), *(_route(*route, definitions) for route in routes)
    )


def _route(path: str, method: str, told: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    said = {number: answer["description"] for number, answer in sorted(told["responses"].items())}
    answers = ([code(number), "Done." if words == _UNSAID else prose(words)] for number, words in said.items())
    return section(
        3,
        code(f"{method.upper()} {path}"),
        prose(told.get("description", "")),
        _key(told.get("security", ())),
        table(("parameter", "in", "value", "default", "meaning"), _parameters(told, definitions)),
        _body(told, definitions),
        table(("status", "meaning"), answers),
    )


def _key(security: Sequence[Mapping[str, Any]]) -> str:
    """Say whether a caller needs a key: an empty entry is a way in without one."""
    if not any(security):
        return "Needs no API key."
    return "Needs an API key." if all(security) else "Needs an API key, but on a trusted listener."


def _parameters(told: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[list[str]]:
    for each in told.get("parameters", ()):
        schema = each["schema"]
        needed = "required" if each.get("required") else default(schema)
        words = prose(each["description"]) if "description" in each else about(schema, definitions)
        yield [code(each["name"]), each["in"], form(schema, definitions), needed, words]


def _body(told: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """Tell what each media type of the body holds."""
    parts = []
    for media, content in told.get("requestBody", {}).get("content", {}).items():
        schema = resolved(content.get("schema", {}), definitions)
        fields = table(("field", "value", "default", "meaning"), rows(schema, definitions))
        parts.append(f"Body, {code(media)}" + (f":\n\n{fields}" if fields else "."))
    return "\n\n".join(parts)
