"""Plain values of expressions, where the text alone decides them."""

from __future__ import annotations

import ast
import re
from typing import Any

from sukima.auditing.source.names import Module
from sukima.auditing.source.words import words

__all__ = ["MISSING", "constant_of", "is_rate_name", "number_of"]

MISSING: Any = object()


def constant_of(module: Module, node: ast.expr | None, depth: int = 3) -> Any:
    """The value of a literal, of simple arithmetic on literals, or of a name bound once to one; else `MISSING`."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        value = constant_of(module, node.operand, depth)
        if value is MISSING:
            return MISSING
        if isinstance(node.op, ast.Not):
            return not value
        return -value if isinstance(value, int | float) else MISSING
    if isinstance(node, ast.BinOp):
        return _arithmetic(node.op, number_of(module, node.left, depth), number_of(module, node.right, depth))
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "float"
        and len(node.args) == 1
    ):
        return constant_of(module, node.args[0], depth)
    if depth and isinstance(node, ast.Name):
        bindings = module.lookup(node.id, module.scope_of(node))
        if len(bindings) == 1 and isinstance(bindings[0], ast.expr):
            return constant_of(module, bindings[0], depth - 1)
    if depth and isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        return _self_attribute(module, node, depth)
    return MISSING


def _self_attribute(module: Module, node: ast.Attribute, depth: int) -> Any:
    owner = module.class_of(node)
    if owner is None:
        return MISSING
    found: list[ast.expr] = []
    for statement in module.below(owner):
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign | ast.AugAssign):
            targets = [statement.target]
        for target in targets:
            if isinstance(target, ast.Attribute) and target.attr == node.attr:
                value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
                found.append(value if value is not None else target)
    return constant_of(module, found[0], depth - 1) if len(found) == 1 and found[0] is not node else MISSING


def _arithmetic(op: ast.operator, a: float | None, b: float | None) -> Any:
    if a is None or b is None or abs(a) > 1e9 or abs(b) > 1e9:
        return MISSING
    if isinstance(op, ast.Add):
        return a + b
    if isinstance(op, ast.Sub):
        return a - b
    if isinstance(op, ast.Mult):
        return a * b
    if isinstance(op, ast.Div) and b:
        return a / b
    return MISSING


def number_of(module: Module, node: ast.expr | None, depth: int = 3) -> float | None:
    """The value as a number, if it is one."""
    value = constant_of(module, node, depth)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


_RATE_NAMES = frozenset(
    words(
        """
        dropout dropout_rate drop_rate drop_prob dropout_prob dropout_p p_dropout drop_p p_drop droprate
        attn_dropout attention_dropout hidden_dropout emb_dropout embed_dropout embedding_dropout
        ffn_dropout resid_dropout resid_pdrop attn_pdrop embd_pdrop hidden_dropout_prob
        attention_probs_dropout_prob classifier_dropout input_dropout rnn_dropout dropout_ratio
        drop_ratio dropout1 dropout2 attn_drop proj_drop drop dropout_probability pdrop drop_path
        drop_path_rate lstm_dropout fc_dropout act_dropout activation_dropout dropoutrate dropout_val
        feat_drop in_drop head_dropout dropout_fc dropout_emb pos_drop_rate attn_drop_rate
        proj_drop_rate recurrent_dropout dropout_input dropout_output
        """
    )
)


# Of some part of a model, and no switch: ``lora_dropout``, ``decoder_drop_prob``.
_RATE_NAME = re.compile(
    r"^(?!(use|no|is|with|add|do|has|apply|enable|disable|if|without|keep|mc|after|before|type_of)_)"
    r"\w+_drop(out)?(_?(rate|prob|p|ratio|probability))?$"
)


def is_rate_name(name: str) -> bool:
    """Whether a parameter's name says that it is a dropout rate."""
    plain = name.lower().rstrip("_")
    return plain in _RATE_NAMES or _RATE_NAME.search(plain) is not None
