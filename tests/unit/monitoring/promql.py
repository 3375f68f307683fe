"""Find out which labels an expression of PromQL has, and whether all that it names exists."""

from __future__ import annotations

from collections.abc import Mapping

import promql_parser as promql
from promql_parser import LabelModifierType, MatchOp

from runledger.vitals.metrics import ALL_METRICS, WORKERS

Labels = frozenset[str]

TARGET: Labels = frozenset({"job", "instance"})
"""What Prometheus itself adds to all that it scrapes."""
VALUES = {"process": {*WORKERS}, "since": {"occurred", "logged"}, "job": {"runledger"}}
"""Labels whose values are known beforehand."""
_FOREIGN = {
    "up": TARGET,
    "process_start_time_seconds": TARGET,
    "process_cpu_seconds_total": TARGET,
    "process_resident_memory_bytes": TARGET,
    "process_open_fds": TARGET,
    "process_max_fds": TARGET,
}
"""Prometheus's own, and those of its client."""
_SET_OPERATORS = {"and", "or", "unless"}


class WrongExpressionError(Exception):
    """It cannot be parsed, or names what there is not."""


def samples() -> dict[str, Labels]:
    """{name of a sample: its labels} of everything that workers expose and Prometheus adds."""
    found = dict(_FOREIGN)
    for metric in ALL_METRICS:
        labels = TARGET | {*metric.labels}
        if metric.kind == "histogram":
            found |= {f"{metric.name}_{end}": labels for end in ("sum", "count")}
            found[f"{metric.name}_bucket"] = labels | {"le"}
        else:
            found[metric.name] = labels
    return found


def names_in(expression: str) -> set[str]:
    """List the samples that an expression asks for."""
    names: set[str] = set()

    def note(node: promql.Expr) -> None:
        vector = node.vector_selector if isinstance(node, promql.MatrixSelector) else node
        if isinstance(vector, promql.VectorSelector) and vector.name is not None:
            names.add(vector.name)

    promql.walk(promql.parse(expression), note)
    return names


def labels_of(expression: str, known: Mapping[str, Labels]) -> Labels:
    """Return the labels of what an expression gives.

    Args:
        expression: PromQL.
        known: {name of a sample: its labels}.

    Raises:
        WrongExpressionError: it is no PromQL, or names a sample, label or value that there is not.
    """
    try:
        parsed = promql.parse(expression)
    except ValueError as error:
        raise WrongExpressionError(f"{expression}: {error}") from error
    return _Labels(known).of(parsed)


class _Labels:
    """Goes through an expression.

    Args:
        known: {name of a sample: its labels}.
    """

    def __init__(self, known: Mapping[str, Labels]) -> None:
        self._known = known

    def of(self, node: promql.Expr) -> Labels:
        """Labels of a part; none of a number."""
        match node:
            case promql.NumberLiteral() | promql.StringLiteral():
                return frozenset()
            case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
                return self.of(node.expr)
            case promql.MatrixSelector() | promql.VectorSelector():
                return self._selected(node.vector_selector if isinstance(node, promql.MatrixSelector) else node)
            case promql.Call():
                return self._called(node)
            case promql.AggregateExpr():
                return self._aggregated(node)
            case promql.BinaryExpr():
                return self._joined(node)
            case _:
                raise WrongExpressionError(f"{type(node).__name__} is not understood")

    def _selected(self, selector: promql.VectorSelector) -> Labels:
        labels = self._known.get(str(selector.name))
        if labels is None:
            raise WrongExpressionError(f"there is no metric {selector.name}")
        for matcher in selector.matchers.matchers:
            _need({matcher.name}, labels, selector)
            known = VALUES.get(matcher.name)
            if known is not None and matcher.op in (MatchOp.Equal, MatchOp.NotEqual) and matcher.value not in known:
                raise WrongExpressionError(f"{selector}: {matcher.name} is never {matcher.value}")
        return labels

    def _called(self, call: promql.Call) -> Labels:
        found = [self.of(argument) for argument in call.args]
        match call.func.name:
            case "absent":
                (asked,) = call.args
                return frozenset(it.name for it in asked.matchers.matchers if it.op == MatchOp.Equal)
            case "histogram_quantile":
                _need({"le"}, found[1], call)
                return found[1] - {"le"}
            case "time" | "vector" | "scalar":
                return frozenset()
            case _:
                return max(found, key=len)

    def _aggregated(self, node: promql.AggregateExpr) -> Labels:
        inner = self.of(node.expr)
        if node.modifier is None:
            return inner if str(node.op) in {"topk", "bottomk"} else frozenset()
        asked = frozenset(node.modifier.labels)
        _need(asked, inner, node)
        return asked if node.modifier.type == promql.AggModifierType.By else inner - asked

    def _joined(self, node: promql.BinaryExpr) -> Labels:
        left, right = self.of(node.lhs), self.of(node.rhs)
        if _is_number(node.lhs) or _is_number(node.rhs):
            return left | right
        if str(node.op) == "or":
            return left | right
        matching = None if node.modifier is None else node.modifier.matching
        if matching is None:
            if left != right:
                raise WrongExpressionError(f"{node.prettify()}: {sorted(left)} never meets {sorted(right)}")
            return left
        on = frozenset(matching.labels)
        if matching.type != LabelModifierType.Include:
            raise WrongExpressionError(f"{node.prettify()}: say `on` rather than `ignoring`")
        _need(on, left & right, node)
        if str(node.op) in _SET_OPERATORS:
            return left
        return self._grouped(node, left, right, on)

    def _grouped(self, node: promql.BinaryExpr, left: Labels, right: Labels, on: Labels) -> Labels:
        assert node.modifier is not None
        taken = frozenset(node.modifier.group_labels or ())
        match node.modifier.card:
            case promql.VectorMatchCardinality.ManyToOne:
                _need(taken, right, node)
                return left | taken
            case promql.VectorMatchCardinality.OneToMany:
                _need(taken, left, node)
                return right | taken
            case _:
                return on


def _is_number(node: promql.Expr) -> bool:
    """Tell a scalar from a vector."""
    match node:
        case promql.NumberLiteral():
            return True
        case promql.ParenExpr() | promql.UnaryExpr():
            return _is_number(node.expr)
        case promql.Call():
            return node.func.name in {"time", "scalar"}
        case promql.BinaryExpr():
            return _is_number(node.lhs) and _is_number(node.rhs)
        case _:
            return False


def _need(asked: set[str] | Labels, there: Labels, node: promql.Expr) -> None:
    if missing := asked - there:
        raise WrongExpressionError(f"{node.prettify()}: there is no label {', '.join(sorted(missing))}")
