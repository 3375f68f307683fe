from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import jinja2
import pytest

from runledger.access.keys import Principal
from runledger.analytics.dashboard.assets import asset_url, assets
from runledger.analytics.dashboard.rendering import Place, Renderer, link

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PACKAGE = Path(__file__).parents[4] / "analytics" / "dashboard"


@pytest.mark.parametrize(
    ("written", "address"),
    [
        (link("/agents"), "/agents"),
        (link("/"), "/"),
        (link("/agents", "team/sage"), "/agents/team/sage"),
        (link("/agents", "a b?c#d%é"), "/agents/a%20b%3Fc%23d%25%C3%A9"),
        (link("/runs", state="failed", agent_id="a&b"), "/runs?state=failed&agent_id=a%26b"),
        (link("/runs", state=None, agent_id=""), "/runs"),
    ],
)
def test_addresses_are_quoted(written: str, address: str) -> None:
    assert written == address


def test_a_place_holds_its_own_pages_and_those_below() -> None:
    runs, first = Place("Runs", "/runs"), Place("Overview", "/")
    assert [runs.holds(path) for path in ("/runs", "/runs/1", "/runsome", "/")] == [True, True, False, False]
    assert [first.holds(path) for path in ("/", "/runs")] == [True, False]


def test_what_a_template_misspells_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        Renderer().draw("error.html", "/", NOW, None, None, {})


def test_the_navigation_is_for_those_who_are_logged_in() -> None:
    renderer = Renderer()
    renderer.places = (Place("Overview", "/"),)
    model = {"problem": "<b>", "next": '"><script>'}
    stranger = renderer.draw("login.html", "/login", NOW, None, None, model).decode()
    known = renderer.draw("login.html", "/login", NOW, Principal("acme", frozenset({"read"})), None, model).decode()
    assert "<nav" not in stranger
    assert "<nav" in known
    assert "acme" in known
    assert "&lt;b&gt;" in stranger
    assert '"><script>' not in stranger


def test_files_are_named_by_their_content() -> None:
    assert asset_url("style.css").startswith("/static/style.css?v=")
    assert {"style.css", "live.js", "theme.js", "icon.svg"} <= assets().keys()


def test_templates_hold_nothing_inline_and_nothing_from_elsewhere() -> None:
    for template in (PACKAGE / "templates").glob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert " style=" not in text, template.name
        assert "<style" not in text, template.name
        assert " onclick=" not in text, template.name
        assert "|safe" not in text.replace(" ", ""), template.name
        assert "https://" not in text, template.name
        assert all("src=" in part.split(">")[0] for part in text.split("<script")[1:]), template.name
