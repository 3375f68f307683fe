"""Every link of every page leads to what the repository has; the site's build sees those between its own pages only."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.anchors import anchors_plugin

from tests import documents

_TARGETS = {"link_open": "href", "image": "src"}


def broken(page: str, text: str) -> Iterator[str]:
    """Give the links of a page's text that lead nowhere in the repository; those with a scheme lead elsewhere."""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        for child in token.children or []:
            link = str(child.attrs.get(_TARGETS.get(child.type, ""), ""))
            path, _, anchor = link.partition("#")
            if not link or ":" in path:
                continue
            file = (documents.ROOT / page).parent.joinpath(path).resolve() if path else documents.ROOT / page
            inside = file.is_relative_to(documents.ROOT) and file.exists()
            if not inside or (anchor and anchor not in anchors(file.read_text(encoding="utf-8"))):
                yield link


@cache
def anchors(text: str) -> frozenset[str]:
    """Name the headings of a page as links do."""
    tokens = MarkdownIt("commonmark").use(anchors_plugin, max_level=4).parse(text)
    return frozenset(str(token.attrs["id"]) for token in tokens if "id" in token.attrs)


@pytest.mark.parametrize("page", documents.all_pages())
def test_links_lead_somewhere(page: str) -> None:
    assert list(broken(page, documents.text(page))) == []


def test_the_readme_leads_to_every_page_of_docs() -> None:
    pages = {page for page in documents.pages() if page.startswith("docs/") and page.count("/") == 1}
    assert sorted(page for page in pages if f"]({page})" not in documents.text("README.md")) == []


def test_a_link_that_leads_nowhere_is_found() -> None:
    text = (
        "[a](docs/nowhere.md), [b](docs/sdk.md#no-part), ![c](none.png), [d](../), | [e](docs/sdk.md) [f](https://x.y/)"
    )
    assert list(broken("README.md", text)) == ["docs/nowhere.md", "docs/sdk.md#no-part", "none.png", "../"]
