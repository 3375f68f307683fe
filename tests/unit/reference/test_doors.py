"""The pages of HTTP and MCP tell every route and every tool."""

from __future__ import annotations

import re

from reference.http_api import documents, http_api_page
from reference.mcp_tools import mcp_tools_page, tools

PAGE = http_api_page()


def section(page: str, title: str) -> str:
    return re.split(r"\n#{2,3} ", page.partition(f"# `{title}`\n")[2])[0]


def test_every_route_is_told() -> None:
    told = re.findall(r"^### `([A-Z]+ .*)`$", PAGE, re.MULTILINE)
    there = [
        f"{method.upper()} {path}" for it in documents().values() for path, of in it["paths"].items() for method in of
    ]
    assert told == there
    assert len(there) > 20
    assert all(path in PAGE for path in ("/openapi.json", "/internal/openapi.json"))


def test_a_route_is_told_with_key_parameters_body_and_answers() -> None:
    runs = section(PAGE, "GET /api/v1/runs")
    assert "Needs an API key.\n" in runs
    assert "| `limit` | query | whole number, 1 to 200 | `50` | At most so many. |" in runs
    assert "| `503` | The tables or the keys do not answer in time. Ask again. |" in runs
    log = section(PAGE, "POST /api/v1/internal/agent-run-log")
    assert "Needs an API key, but on a trusted listener.\n" in log
    assert "| `status` | `success`, `partial`, `failed` | required | How it went. |" in log
    assert "Needs no API key.\n" in section(PAGE, "GET /api/v1/public/platform/intelligence")


def test_what_is_internal_is_told_apart() -> None:
    internal = documents()["Gateway, on a trusted listener"]
    assert list(internal["paths"]) == ["/api/v1/internal/agent-run-log"]


def test_every_tool_is_told_with_its_parameters_and_scope() -> None:
    page = mcp_tools_page()
    for tool in tools():
        told = section(page, tool.name)
        assert all(f"| `{name}` |" in told for name in tool.parameters["properties"]), tool.name
    assert "Needs the scope `emit`." in section(page, "core_end_run")
    assert "Needs the scope `read`." in section(page, "run_costs")
