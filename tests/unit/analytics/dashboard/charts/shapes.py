"""Read a chart back: what is in it, and what it says."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from markupsafe import Markup


def parse(chart: Markup) -> ET.Element:
    """Parse markup, which is well-formed XML too."""
    return ET.fromstring(chart)  # noqa: S314  # of our own making


def titles(root: ET.Element) -> list[str]:
    """Return what is said when something is pointed at, the whole first."""
    return [title.text or "" for title in root.iter("title")]


def of_class(root: ET.Element, name: str) -> list[ET.Element]:
    """Return the elements of a class, in their order."""
    return [found for found in root.iter() if name in found.get("class", "").split()]


def length(found: ET.Element, name: str) -> float:
    """Return a length of an element."""
    return float(found.attrib[name])
