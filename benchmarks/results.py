"""Results, and the file that keeps them: one entry by name, replaced when measured again."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

import orjson

Better: TypeAlias = Literal["more", "less"]


@dataclass(frozen=True, slots=True)
class Against:
    """A peer in the same run.

    Args:
        value: the peer's figure, in our unit.
        ratio: how many times better ours is; above 1 is better, whatever the unit.
        target: least ratio claimed; None where it is only reported.
    """

    value: float
    ratio: float
    target: float | None = None

    @property
    def met(self) -> bool:
        """Whether the claim holds."""
        return self.target is None or self.ratio >= self.target


@dataclass(frozen=True, slots=True)
class Result:
    """One claim, measured.

    Args:
        name: B1, B2, …
        claim: what was measured, for people.
        unit: of `ours` and the peers' values.
        ours: our figure: the median of the rounds.
        peers: name to what it did in the same run.
        target: for `ours` itself, in words; None where the peers' ratios are all that is claimed.
        target_met: whether that target is met.
        rounds: {contestant: its figure in each round}.
        extra: further figures.
        error: why there is no figure.
    """

    name: str
    claim: str
    unit: str
    ours: float | None
    peers: Mapping[str, Against] = field(default_factory=dict)
    target: str | None = None
    target_met: bool = True
    rounds: Mapping[str, Sequence[float]] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None

    @property
    def met(self) -> bool:
        """Whether every claim holds."""
        return self.error is None and self.target_met and all(against.met for against in self.peers.values())

    def hardest(self) -> str | None:
        """Name of the peer that leaves least room above its target."""
        claimed = {name: against for name, against in self.peers.items() if against.target is not None}
        if not claimed:
            return next(iter(self.peers), None)
        return min(claimed, key=lambda name: claimed[name].ratio / (claimed[name].target or 1))

    def document(self, versions: Mapping[str, str], at: datetime) -> dict[str, Any]:
        """Write it as an entry of results.json."""
        hardest = self.hardest()
        peer = None if hardest is None else self.peers[hardest]
        by_ratio = peer.target if peer is not None else None
        return {
            "ours": _rounded(self.ours),
            "peer": None if peer is None else _rounded(peer.value),
            "ratio": None if peer is None else _rounded(peer.ratio),
            "target": self.target if by_ratio is None else by_ratio,
            "met": self.met,
            "claim": self.claim,
            "unit": self.unit,
            "peer_name": hardest,
            "peers": {
                name: {
                    "value": _rounded(against.value),
                    "ratio": _rounded(against.ratio),
                    "target": against.target,
                    "met": against.met,
                }
                for name, against in self.peers.items()
            },
            "own_target": self.target,
            "rounds": {name: [_rounded(value) for value in values] for name, values in self.rounds.items()},
            **({"error": self.error} if self.error else {}),
            **self.extra,
            "date": at.strftime("%Y-%m-%d %H:%M UTC"),
            "versions": dict(versions),
        }


def compare(
    name: str,
    claim: str,
    unit: str,
    rounds: Mapping[str, Sequence[float]],
    targets: Mapping[str, float | None],
    *,
    better: Better = "more",
    extra: Mapping[str, Any] | None = None,
    target: str | None = None,
    target_met: bool = True,
) -> Result:
    """Make a result of rounds: medians, and ratios that say how many times better ours is.

    Args:
        name: B1, B2, …
        claim: what was measured.
        unit: of the figures.
        rounds: {contestant: its figure in each round}; ours is called "ours".
        targets: {peer: least ratio claimed, or None}.
        better: whether more is better, or less.
        extra: further figures.
        target: of our figure itself.
        target_met: whether it is met.
    """
    medians = {contestant: statistics.median(values) for contestant, values in rounds.items() if values}
    ours = medians["ours"]
    peers = {
        peer: Against(medians[peer], ours / medians[peer] if better == "more" else medians[peer] / ours, least)
        for peer, least in targets.items()
        if peer in medians
    }
    return Result(name, claim, unit, ours, peers, target, target_met, rounds, extra or {})


def failed(name: str, claim: str, error: BaseException) -> Result:
    """Say why a benchmark has no figures."""
    return Result(name, claim, "", None, error=f"{type(error).__name__}: {error}"[:1000], target_met=False)


def _rounded(value: float | None) -> float | int | None:
    if value is None:
        return None
    return round(value) if abs(value) >= 1000 else float(f"{value:.4g}")  # noqa: PLR2004  # four digits say enough


def merge(path: Path, results: Sequence[Result], versions: Mapping[str, str], at: datetime | None = None) -> None:
    """Put results into the file, in the place of earlier ones of the same names."""
    held: dict[str, Any] = orjson.loads(path.read_bytes()) if path.exists() else {}
    at = at or datetime.now(UTC)
    held |= {result.name: result.document(versions, at) for result in results}
    ordered = {name: held[name] for name in sorted(held, key=_order)}
    path.write_bytes(orjson.dumps(ordered, option=orjson.OPT_INDENT_2) + b"\n")


def _order(name: str) -> tuple[int, str]:
    digits = name.removeprefix("B")
    return (int(digits), "") if digits.isdecimal() else (10_000, name)
