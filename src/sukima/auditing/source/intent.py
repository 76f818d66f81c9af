"""Signs in the source that dropout at inference is meant: Monte Carlo dropout, augmentation of the model, tests."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from sukima.auditing.source.names import Module

__all__ = [
    "is_demonstration",
    "is_for_inference",
    "is_meant",
    "is_test_file",
    "is_test_function",
    "is_test_module",
    "mentions_mode",
    "name_of",
    "says_unused",
]

_MEANT = re.compile(
    r"(?<![a-z])mc(?![a-z])|monte.?carlo|mcd\b|bayes|uncertain|epistemic|always.?(on|active|drop)|stochastic.?forward|"
    r"simcse|under.{0,4}eval|explor|r.?drop\b|"
    r"(even|also|active|keep|on|enabled?|apply|applied|drop\w*|remain\w*|stay\w*) (at|in|during) "
    r"(test|inference|eval\w*|prediction)|at (both )?train\w* and (test|inference)|mean.?teacher|"
    r"(not|never|without) (turned|switched|disabled?)|permanent.?drop|prenet",
    re.IGNORECASE,
)
_MODE_WORDS = re.compile(
    r"(^|_)(train|training|trainable|is_train|is_training|istrain|eval|evaluating|inference|infer|deterministic|mode|"
    r"test|testing|phase|sampling|stochastic|mc|learning_phase|predict|predicting)(_|$)|(^|_)train|isTrain|inTraining",
)
_NOT_MODE = frozenset({"model", "train_loader", "train_data", "interpolate_mode", "padding_mode"})


_TEST_FILE = re.compile(r"(^|[/\\\\])(test_[^/\\\\]*|[^/\\\\]*_test(_case)?|conftest)\.py$")
_TESTING_TOOLS = re.compile(r"import (pytest|unittest)|from (pytest|unittest|absl.testing)|TestCase")
_TESTING = re.compile(
    r"import (pytest|unittest)|TestCase|assert_allclose|from [\w.]*test\w* import|^def test_|^class Test", re.MULTILINE
)
_UNUSED = re.compile(r"un-?used|not (actually )?used|no effect|compat|ignored|placeholder|dummy", re.IGNORECASE)


def is_test_file(path: str) -> bool:
    """Whether a file is called as tests are; scripts that evaluate a model may be called so too."""
    return _TEST_FILE.search(path) is not None


def is_test_module(module: Module) -> bool:
    """Whether a file holds tests, by its name and by what it uses."""
    return is_test_file(module.path) and _TESTING.search(module.source.text) is not None


def is_test_function(module: Module, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function is a test, and not one like ``test_epoch`` that measures a model on test data."""
    named = function.name.startswith(("test_", "_test_"))
    return named and (is_test_file(module.path) or _TESTING_TOOLS.search(module.source.text) is not None)


def says_unused(module: Module, node: ast.AST) -> bool:
    """Whether a comment on a line, or alone on the line before, says that what it makes is not used."""
    line = getattr(node, "lineno", 1)
    here = module.source.lines[line - 1 : line]
    above = [text for text in module.source.lines[max(0, line - 2) : line - 1] if text.lstrip().startswith("#")]
    return any(_UNUSED.search(text.partition("#")[2]) for text in (*here, *above))


def name_of(node: ast.AST) -> str:
    """The last name in an expression: ``self.net.drop`` gives ``drop``."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    return ""


def is_meant(module: Module, node: ast.AST) -> bool:
    """Whether names, docstrings or comments around ``node`` say that dropout is to act at inference too."""
    for around in module.ancestors(node):
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            doc = ast.get_docstring(around, clean=False) or ""
            if _MEANT.search(around.name) or _camel(around.name) or _MEANT.search(doc):
                return True
    first = getattr(node, "lineno", 1)
    last = getattr(node, "end_lineno", first)
    nearby = module.source.lines[max(0, first - 4) : last + 1]
    return (
        any(_MEANT.search(line.partition("#")[2]) for line in nearby if "#" in line)
        or _MEANT.search(" ".join(_names(module, node))) is not None
    )


def _camel(name: str) -> bool:
    return re.search(r"MC(?=[A-Z][a-z]|$)|McD", name) is not None


def _names(module: Module, node: ast.AST) -> list[str]:
    parent = module.parents.get(node)
    found = [name_of(n) for n in ast.walk(node)]
    while parent is not None and not isinstance(parent, ast.stmt):
        parent = module.parents.get(parent)
    if isinstance(parent, ast.Assign):
        found += [name_of(target) for target in parent.targets]
    return [n for n in found if n]


def is_demonstration(module: Module, node: ast.AST) -> bool:
    """Whether the code shows or tests dropout itself: a test case, a benchmark, a line at the top of a script."""
    function: ast.AST | None = None
    if is_test_module(module):
        return True
    for around in module.ancestors(node):
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            function = around
            if around.name.startswith(("bench_", "benchmark_", "sample_inputs_")) or is_test_function(module, around):
                return True
        if isinstance(around, ast.ClassDef) and (
            around.name.startswith("Test")
            or around.name.endswith("Test")
            or any("Test" in name_of(b) for b in around.bases)
        ):
            return True
    return function is None


_MEASURING = frozenset({"metric", "metrics", "fid"})
_INFERENCE = re.compile(r"infer|export|onnx|tensorrt|(^|_)trt(_|$)|deploy|serving|predict|generat", re.IGNORECASE)


def is_for_inference(module: Module, node: ast.AST) -> bool:
    """Whether the names of the functions, classes and file around say that the code is for inference only."""
    around = [a.name for a in module.ancestors(node) if isinstance(a, ast.FunctionDef | ast.ClassDef)]
    path = Path(module.path)
    return path.parent.name in _MEASURING or any(_INFERENCE.search(name) for name in (*around, path.stem))


def mentions_mode(module: Module, node: ast.AST, depth: int = 3) -> bool:
    """Whether an expression depends on the mode: ``self.training``, ``is_train``, or a local made of them."""
    for found in ast.walk(node):
        name = name_of(found)
        if not name:
            continue
        if name not in _NOT_MODE and _MODE_WORDS.search(name):
            return True
        if isinstance(found, ast.Name) and depth:
            for value in module.lookup(name, module.scope_of(found)):
                if (
                    isinstance(value, ast.expr)
                    and not _inside(module, node, value)
                    and (mentions_mode(module, value, depth - 1) or _under_mode(module, value, depth - 1))
                ):
                    return True
    return False


def _inside(module: Module, node: ast.AST, value: ast.AST) -> bool:
    return node is value or any(a is value for a in module.ancestors(node))


def _under_mode(module: Module, value: ast.expr, depth: int) -> bool:
    """Whether an assignment stands under a condition on the mode: ``if not training: p = 0.0``."""
    at: ast.AST = value
    for around in module.ancestors(value):
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return False
        if isinstance(around, ast.If) and at is not around.test and mentions_mode(module, around.test, depth):
            return True
        at = around
    return False
