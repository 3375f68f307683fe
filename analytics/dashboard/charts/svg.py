"""Elements of SVG, written with every value escaped. No style attribute: the page's policy forbids them."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape


def element(tag: str, *children: Markup | str, **attributes: float | str | None) -> Markup:
    """Write an element.

    Args:
        tag: its name.
        children: text is escaped, markup is not.
        attributes: by name, `_` for `-` and a last `_` dropped (`class_`); numbers to two places, None is none.
    """
    given = Markup("").join(
        Markup(' {}="{}"').format(name.rstrip("_").replace("_", "-"), _text(value))
        for name, value in attributes.items()
        if value is not None
    )
    # The name is ours; everything else is escaped.
    opened = Markup("<") + Markup(tag) + given  # noqa: S704  # see above
    if not children:
        return opened + Markup("/>")
    return opened + Markup(">") + group(children) + Markup("</") + Markup(tag) + Markup(">")  # noqa: S704  # as above


def group(children: Iterable[Markup | str]) -> Markup:
    """Write several, one after the other."""
    return Markup("").join(escape(child) for child in children)


def drawing(width: float, height: float, title: str, *children: Markup | str, class_: str = "chart") -> Markup:
    """Write a whole drawing, which scales to the width it is given.

    Args:
        width: of the coordinates.
        height: likewise.
        title: what it shows, for those who do not see it.
        children: what is drawn.
        class_: for the style sheet.
    """
    return element(
        "svg",
        element("title", title),
        *children,
        class_=class_,
        viewBox=f"0 0 {_text(width)} {_text(height)}",
        role="img",
        focusable="false",
    )


def number(value: float) -> str:
    """Write a length with at most two places: a hundredth of a pixel is nobody's to see."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else number(value)
