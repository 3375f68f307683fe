"""How the site is built from these pages: `make docs`. Nothing is fetched, and a warning fails the build."""

from __future__ import annotations

import re
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.util import logging

project = "Runledger"
author = "Runledger"
html_title = "Runledger"
extensions = ["myst_parser"]
myst_heading_anchors = 4
highlight_language = "none"
smartquotes = False  # they would make one dash of the two before an option
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False

DOCS = Path(__file__).parent
_LOG = logging.getLogger(__name__)
_SECTION = re.compile(r"^## (?P<name>.+)\n(?P<body>(?:(?!## ).*\n?)*)", re.MULTILINE)
_ENTRY = re.compile(r"^[-*] \[[^]]+\]\((?P<page>[^):#]+)\.md\)", re.MULTILINE)
_RELATIVE = re.compile(r"\[(?P<words>[^]]+)\]\((?P<path>(?![a-z]+:|#)[^)#\s]+)(?:#[^)]*)?\)")


def setup(app: Sphinx) -> None:
    """Register what happens to a page before it is read."""
    app.add_lexer("cron", TextLexer)
    app.connect("source-read", prepare)


def prepare(_app: Sphinx, page: str, source: list[str]) -> None:
    """Change a page's text, the only element of `source`, in place."""
    source[0] = _without_links_to_elsewhere(page, source[0])
    if page == "index":
        source[0] += contents(source[0])


def contents(index: str) -> str:
    """Make the site's table of contents from the lists of pages in index.md, section by section."""
    return "".join(
        "\n```{{toctree}}\n:hidden:\n:caption: {}\n\n{}\n```\n".format(section["name"], "\n".join(pages))
        for section in _SECTION.finditer(index)
        if (pages := _ENTRY.findall(section["body"]))
    )


def _without_links_to_elsewhere(page: str, text: str) -> str:
    """Leave the words alone of links to files outside this folder: the repository has them, the site does not."""

    def replaced(link: re.Match[str]) -> str:
        target = (DOCS / page).parent.joinpath(link["path"]).resolve()
        if target.is_relative_to(DOCS):
            return link[0]
        if not target.exists():
            _LOG.warning("a link leads to %s, which is not there", link["path"], location=page)
        return link["words"]

    return _RELATIVE.sub(replaced, text)
