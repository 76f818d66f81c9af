"""Dropout written by hand: a random draw, compared or Bernoulli, multiplied into activations."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sukima.auditing.source.context import Context
from sukima.auditing.source.helpers import reached_from_forward
from sukima.auditing.source.intent import name_of
from sukima.auditing.source.names import Function

__all__ = ["HandMask", "hand_written_masks"]

_BERNOULLI = frozenset({"bernoulli", "bernoulli_", "binomial", "Bernoulli", "RelaxedBernoulli"})
_UNIFORM = frozenset({"rand", "rand_like", "uniform", "uniform_", "random_uniform", "random", "empty_like"})
_DROPPING = re.compile(r"drop|keep|retain|survival", re.IGNORECASE)
_RATE = re.compile(r"^(p|q|rate|prob|p_drop|pdrop|keep_prob|retain_prob|survival_prob)$|drop|keep", re.IGNORECASE)
_OTHER = re.compile(
    r"token|patch|noise|jitter|augment|sample_|mlm|mask_ratio|mask_prob|cfg|cond|label_drop|uncond|guidance|time_?step|"
    r"class_drop|"
    r"token_drop|word_drop|modality|caption",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class HandMask:
    """One such mask: where it is drawn, where it is multiplied in, and whether anything scales by 1 − rate."""

    draw: ast.Call
    uses: tuple[ast.expr, ...]
    scaled: bool


def hand_written_masks(context: Context) -> Iterator[HandMask]:
    """Masks in models' forward passes, and in functions whose name says that they drop."""
    module = context.module
    for name in (*_BERNOULLI, *_UNIFORM):
        for draw in context.calls_by_name.get(name, []):
            function = module.function_of(draw)
            if function is None or not _is_dropping(context, draw, function):
                continue
            compared = name in _BERNOULLI or _is_compared(context, draw, function)
            if not compared:
                continue
            uses = tuple(_products(draw, function))
            if uses:
                yield HandMask(draw, uses, _scales(function))


def _is_dropping(context: Context, draw: ast.Call, function: Function) -> bool:
    owner = context.module.class_of(function)
    names = [function.name, owner.name if owner else ""]
    if any(_OTHER.search(n) for n in names) or "augment" in context.module.path:
        return False
    named = any(_DROPPING.search(n) for n in names) or _takes_rate(context, draw)
    if not named:
        return False
    return reached_from_forward(context, draw, "torch") or reached_from_forward(context, draw, "keras")


def _takes_rate(context: Context, draw: ast.Call) -> bool:
    """Whether a name that says rate or keep stands where the mask is drawn or compared."""
    statement: ast.AST = draw
    while not isinstance(statement, ast.stmt):
        statement = context.module.parents[statement]
    return any(
        _RATE.search(name_of(n)) for n in ast.walk(statement) if isinstance(n, ast.Name | ast.Attribute)
    ) and not any(_OTHER.search(name_of(n)) for n in ast.walk(statement) if isinstance(n, ast.Name | ast.Attribute))


def _is_compared(context: Context, draw: ast.Call, function: Function) -> bool:
    at: ast.AST = draw
    for around in context.module.ancestors(draw):
        if isinstance(around, ast.Compare):
            return True
        if isinstance(around, ast.Call) and name_of(around.func) in {
            "floor",
            "floor_",
            "lt",
            "gt",
            "le",
            "ge",
            "round",
        }:
            return True
        if isinstance(around, ast.Assign):
            names = {name_of(t) for t in around.targets}
            return any(_mentions(n, names) for n in ast.walk(function) if isinstance(n, ast.Compare)) or any(
                isinstance(n, ast.Call)
                and name_of(n.func) in {"floor", "floor_", "lt", "gt", "le", "ge"}
                and _mentions(n, names)
                for n in ast.walk(function)
            )
        if isinstance(around, ast.stmt):
            return False
        at = around
    return isinstance(at, ast.Compare)


def _mentions(node: ast.AST, names: set[str]) -> bool:
    return any(name_of(n) in names for n in ast.walk(node) if isinstance(n, ast.Name | ast.Attribute))


def _products(draw: ast.Call, function: Function) -> Iterator[ast.expr]:
    """Multiplications, divisions' numerators included, that the mask or a name made of it takes part in."""
    names: set[str] = set()
    statements = [s for s in ast.walk(function) if isinstance(s, ast.Assign | ast.AugAssign | ast.AnnAssign)]
    inside = {draw}
    for _ in range(4):
        for statement in statements:
            value = statement.value
            if value is not None and (any(n in inside for n in ast.walk(value)) or _mentions(value, names)):
                targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                names |= {name_of(t) for t in targets if isinstance(t, ast.Name)}
    for node in ast.walk(function):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            for side, other in ((node.left, node.right), (node.right, node.left)):
                drawn = any(n is draw for n in ast.walk(side)) or _mentions(side, names)
                if drawn and not isinstance(other, ast.Constant):
                    yield node
        elif isinstance(node, ast.Call) and name_of(node.func) in {"mul", "mul_", "where", "masked_fill", "multiply"}:
            yield from [node] if any(_mentions(a, names) or draw in ast.walk(a) for a in node.args) else []
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Mult):
            yield from [node.value] if _mentions(node.value, names) or draw in ast.walk(node.value) else []


def _scales(function: Function) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            return True
        if isinstance(node, ast.Call) and name_of(node.func) in {"div", "div_", "divide", "true_divide"}:
            return True
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            return True
        if isinstance(node, ast.Name | ast.Attribute) and "scale" in name_of(node).lower():
            return True
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            for side in (node.left, node.right):
                if re.search(r"keep|retain|scale|^q$", name_of(side)) or _is_one_minus(side):
                    return True
    return False


def _is_one_minus(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and isinstance(node.left, ast.Constant)
