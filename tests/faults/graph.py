"""The memory of processes over time, as an SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 860, 360, 50, 40, 20, 130
_COLOURS = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5")
_STEP_MIB, _LINE = 50, 16


def draw(seconds: Sequence[float], mib: Mapping[str, Sequence[int | None]], notes: Sequence[str] = ()) -> str:
    """Draw a line for each process, broken where it was not there.

    Args:
        seconds: when it was looked, since the beginning.
        mib: {process: resident memory at each of those times; None where it was not there}.
        notes: what is written below, a line each.
    """
    last = max(seconds, default=1) or 1
    most = max((held for line in mib.values() for held in line if held is not None), default=_STEP_MIB)
    top = (most // _STEP_MIB + 1) * _STEP_MIB
    whole = _HEIGHT + _LINE * len(notes)

    def x(at: float) -> float:
        return round(_LEFT + at / last * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(held: float) -> float:
        return round(_HEIGHT - _BOTTOM - held / top * (_HEIGHT - _BOTTOM - _TOP), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {whole}" font-size="12">',
        f'<rect width="{_WIDTH}" height="{whole}" fill="white"/>',
    ]
    for held in range(0, top + 1, _STEP_MIB):
        parts.append(f'<path d="M{_LEFT} {y(held)}H{_WIDTH - _RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y(held) + 4}" text-anchor="end">{held}</text>')
    minutes = max(1, int(last // 60))
    parts += [
        f'<text x="{x(minute * 60)}" y="{_HEIGHT - 20}" text-anchor="middle">{minute} min</text>'
        for minute in range(0, minutes + 1, max(1, minutes // 6))
    ]
    parts.append(f'<text x="{_LEFT}" y="{_TOP - 6}">MiB resident</text>')
    for number, (name, line) in enumerate(sorted(mib.items())):
        colour = _COLOURS[number % len(_COLOURS)]
        for there, samples in groupby(zip(seconds, line, strict=True), lambda sample: sample[1] is not None):
            if there:
                points = " ".join(f"{x(at)},{y(held)}" for at, held in samples if held is not None)
                parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        parts.append(f'<text x="{_WIDTH - _RIGHT + 10}" y="{_TOP + _LINE * number + 10}" fill="{colour}">{name}</text>')
    for number, note in enumerate(notes):
        parts.append(f'<text x="{_LEFT}" y="{_HEIGHT + _LINE * number}">{escape(note)}</text>')
    return "\n".join([*parts, "</svg>\n"])
