"""The pages made from code as files, and which of them the code has left behind."""

from __future__ import annotations

from pathlib import Path

from reference.cli import cli_page
from reference.http_api import http_api_page
from reference.mcp_tools import mcp_tools_page
from reference.metrics import fill_in
from reference.settings import settings_page
from reference.topics import topics_page

DOCS = Path(__file__).parents[1] / "docs"
TABLES = DOCS / "reference" / "tables.md"
"""Made beside a database: an integration test holds it against the tables."""
_METRICS = "metrics.md"


def write(docs: Path = DOCS) -> list[str]:
    """Write what the code says; return the paths, within the folder, of what was not so."""
    made = generated(docs)
    changed = stale(docs)
    for path in changed:
        (docs / path).parent.mkdir(parents=True, exist_ok=True)
        (docs / path).write_text(made[path], encoding="utf-8")
    return changed


def stale(docs: Path = DOCS) -> list[str]:
    """Return the paths, within the folder, of pages that do not say what the code says."""
    return [path for path, content in generated(docs).items() if _content(docs / path) != content]


def generated(docs: Path = DOCS) -> dict[str, str]:
    """Make every page that needs no server: {path within the folder: content}."""
    return {
        "reference/cli.md": cli_page(),
        "reference/settings.md": settings_page(),
        "reference/topics.md": topics_page(),
        "reference/http-api.md": http_api_page(),
        "reference/mcp-tools.md": mcp_tools_page(),
        _METRICS: fill_in((docs / _METRICS).read_text(encoding="utf-8")),
    }


def _content(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
