"""The steps of a run as an indented tree: a step below the one that began it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text
from rich.tree import Tree

from runledger.analytics.run_steps import Step
from runledger.cli.formats import took
from runledger.cli.terminal import plain

MOST_LEVELS = 12
"""Deeper ones are shown at this level: a tree that leaves the terminal on its right helps nobody."""
_FAILED = frozenset({"error", "failed", "failure"})


@dataclass(frozen=True, slots=True)
class Placed:
    """A step, and how many steps it lies below."""

    step: Step
    level: int


def place(steps: Sequence[Step]) -> Iterator[Placed]:
    """Put each step behind the one that began it, each once; steps without an id, or whose parent is not there, on top.

    Args:
        steps: in the order in which siblings shall stand.
    """
    known = {step.span_id for step in steps if step.span_id}
    below: defaultdict[str | None, list[Step]] = defaultdict(list)
    for step in steps:
        parent = step.parent_span_id
        below[parent if parent in known and parent != step.span_id else None].append(step)
    shown: set[tuple[str, int]] = set()
    yield from _walk(below, shown, below.pop(None, []))
    # Those that began each other, in a circle.
    for step in steps:
        yield from _walk(below, shown, [step])


def _walk(below: dict[str | None, list[Step]], shown: set[tuple[str, int]], tops: list[Step]) -> Iterator[Placed]:
    waiting = [Placed(step, 0) for step in reversed(tops)]
    while waiting:
        placed = waiting.pop()
        step = placed.step
        if (step.event_id, step.number) in shown:
            continue
        shown.add((step.event_id, step.number))
        yield placed
        children = below.pop(step.span_id, []) if step.span_id else []
        waiting.extend(Placed(child, placed.level + 1) for child in reversed(children))


def steps_tree(steps: Sequence[Step], title: str) -> Tree:
    """Draw the steps.

    Args:
        steps: of `RunSteps`.
        title: what stands on top.
    """
    tree = Tree(Text(title, style="bold"), guide_style="dim")
    branches = [tree]
    for placed in place(steps):
        level = min(placed.level, MOST_LEVELS)
        del branches[level + 1 :]
        branches.append(branches[level].add(step_line(placed.step)))
    return tree


def step_line(step: Step) -> Text:
    """Write one step on one line: what it is called, its kind, how long it took, whether it failed."""
    is_failed = (step.status or "").lower() in _FAILED
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(plain(step.name or step.tool or step.model or step.kind or "step"), "red" if is_failed else "")
    told = [step.kind if step.name or step.tool or step.model else None]
    told += [word for word in (step.tool, step.model) if word and word != (step.name or step.tool)]
    if words := ", ".join(plain(word) for word in told if word):
        line.append(f"  {words}", "dim")
    if (seconds := _seconds(step.duration_ms)) is not None:
        line.append(f"  {took(seconds)}", "cyan")
    if step.status and step.status.lower() != "ok":
        line.append(f"  {plain(step.status)}", "red" if is_failed else "yellow")
    return line


def _seconds(milliseconds: str | None) -> float | None:
    """Read what anybody may have written."""
    try:
        read = float(milliseconds or "") / 1000
    except ValueError:
        return None
    return read if 0 <= read < 10**9 else None  # neither infinite nor no number
