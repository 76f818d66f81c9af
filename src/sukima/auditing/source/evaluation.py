"""Signs in the source that a model is trained, evaluated or only applied."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from sukima.auditing.source.intent import name_of

__all__ = [
    "EVALUATING_NAME",
    "is_evaluation_data",
    "is_model_name",
    "looks_like_evaluation",
    "measures",
    "names_no_model",
    "names_phase",
    "only_applies",
    "trains",
    "turns_gradients_off",
]

EVALUATING_NAME = re.compile(
    r"(^|_)(eval|evaluate|evaluation|validate|validation|valid|val|test|testing|predict|inference|infer|accuracy|"
    r"generate|translate)(_|$)|^(eval|test|valid|infer|predict)",
    re.IGNORECASE,
)
# A bare ``dev`` is a device more often than held-out data.
_DATA = re.compile(
    r"(^|_|\b)(test|val|valid|validation|eval)(_|set|loader|iter|data|dl|ds|dataset|gen|\b|$)|"
    r"(^|_|\b)dev_?(set|loader|iter|data|dl|ds|gen|batch|examples)",
    re.IGNORECASE,
)
_JUDGING = re.compile(
    r"argmax|^max$|softmax|sigmoid|correct|^acc|accuracy|pred|score|^print$|metric|loss|result", re.IGNORECASE
)
_MEASURE = re.compile(r"correct|^acc|accuracy|score|metric|^print$", re.IGNORECASE)
_MODEL = re.compile(
    r"^(model|net|network|classifier|cnn|mlp|rnn|lstm|gcn|gnn|bert|encoder_decoder)$|(_|^)(model|net)$|^my_?(model|net)$"
)
_NO_MODEL = re.compile(
    r"transform(s|ation)?$|preprocess|tokeni[sz]er|vocab|dictionary|processor$|criterion|loss(_fn)?$", re.IGNORECASE
)
_PHASE = re.compile(
    r"^(is_?|was_|in_)?(train|training|eval|evaluating|validate|test|testing|inference)$|phase|mode$|split|^do_(train|eval|test)",
    re.IGNORECASE,
)
_LEARNING = re.compile(r"backward\(|optim|\.fit\(|Trainer\(|zero_grad|compute_loss|train(ing)?_step")
_NO_GRAD = frozenset({"no_grad", "inference_mode"})


def trains(nodes: Iterable[ast.AST]) -> bool:
    """Whether gradients are taken in a part of a tree."""
    return any(isinstance(n, ast.Attribute) and n.attr in {"backward", "zero_grad"} for n in nodes)


def only_applies(text: str) -> bool:
    """Whether a file learns nothing: what it does with a model is inference."""
    return _LEARNING.search(text) is None


def is_evaluation_data(node: ast.AST) -> bool:
    """Whether an expression names data that are held out."""
    return any(_DATA.search(name_of(n)) for n in ast.walk(node) if name_of(n))


def looks_like_evaluation(nodes: Iterable[ast.AST]) -> bool:
    """Whether a part of a tree goes over data or judges results."""
    for found in nodes:
        if isinstance(found, ast.For):
            return True
        if isinstance(found, ast.Name | ast.Attribute):
            name = name_of(found)
            if _DATA.search(name) or _JUDGING.search(name):
                return True
    return False


def measures(nodes: Iterable[ast.AST]) -> bool:
    """Whether a part of a tree goes over data, names held-out data or reckons a measure of quality."""
    return any(
        isinstance(n, ast.For) or _DATA.search(name_of(n)) or _MEASURE.search(name_of(n))
        for n in nodes
        if isinstance(n, ast.For | ast.Name | ast.Attribute)
    )


def names_phase(node: ast.expr) -> bool:
    """Whether a condition asks for the phase of training."""
    return any(_PHASE.search(name_of(n)) for n in ast.walk(node) if name_of(n))


def turns_gradients_off(node: ast.expr) -> bool:
    """Whether a context manager is ``no_grad()`` or one of its kin."""
    if not isinstance(node, ast.Call):
        return False
    name = name_of(node.func)
    if name == "set_grad_enabled":
        return bool(node.args) and isinstance(node.args[0], ast.Constant) and node.args[0].value is False
    return name in _NO_GRAD


def names_no_model(name: str) -> bool:
    """Whether a name says that what it holds prepares data or judges results."""
    return _NO_MODEL.search(name) is not None


def is_model_name(name: str) -> bool:
    """Whether people call a model so."""
    return _MODEL.search(name) is not None
