"""Follow train() and eval() through scripts and training functions: in which mode is a model when it is used?

Statements are walked in order, loops twice; calls of the file's own functions and methods are entered with their
arguments.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sukima.auditing.source.evaluation import (
    EVALUATING_NAME,
    is_evaluation_data,
    looks_like_evaluation,
    measures,
    names_phase,
    trains,
    turns_gradients_off,
)
from sukima.auditing.source.intent import is_test_file, is_test_function, is_test_module, name_of
from sukima.auditing.source.mode_calls import FollowingCalls
from sukima.auditing.source.mode_state import UNKNOWN, Frame, ModeEvent, ModelState
from sukima.auditing.source.names import Function

if TYPE_CHECKING:
    from sukima.auditing.source.context import Context

__all__ = ["ModeEvent", "follow_modes"]

_TELLING = re.compile(
    r"no_grad|inference_mode|\.eval\(|train|\bfit\b|backward\(|eval|valid|test|predict|load_state_dict|torch\.load"
)
_TORCH = re.compile(r"^\s*(import|from) +(torch|lightning|pytorch_lightning|transformers|timm|sukima)\b", re.MULTILINE)
# These switch dropout by other means.
_OTHERS = re.compile(
    r"^\s*(import|from) +(mxnet|tensorflow|keras|paddle|jax|flax|mindspore|chainer|oneflow|jittor)\b", re.MULTILINE
)
_NO_GRAD = frozenset({"no_grad", "inference_mode"})
_DEEPEST, _STEPS = 9, 20_000


def follow_modes(context: Context) -> list[ModeEvent]:
    """The events of one file; nothing at all in files that neither train nor evaluate, or that use no torch."""
    text = context.module.source.text
    here = _TORCH.search(text) is not None
    if not here and _OTHERS.search(text):
        return []
    telling = ("backward(", "no_grad", "inference_mode", ".eval()", "load_state_dict", "torch.load")
    evaluates = here and any(EVALUATING_NAME.search(f.name) for f in context.module.functions)
    if not evaluates and not any(word in text for word in telling):
        return []
    walk = _Walk(context)
    walk.script()
    for function in walk.entries():
        walk.begin(function)
    return list(walk.judge.events.values())


class _Walk(FollowingCalls):
    """Statements in their order."""

    # ── where to begin ──────────────────────────────────────────────────────────────────────────────────────────
    def script(self) -> None:
        self._block(self.module.tree.body, Frame())

    def entries(self) -> Iterator[Function]:
        """Functions that nothing in the file calls, outside models' own classes."""
        called = self.context.calls_by_name
        if is_test_module(self.module):
            return
        for function in self.module.functions:
            if not EVALUATING_NAME.search(function.name) and not _TELLING.search(self.module.text_of(function)):
                continue
            owner = self.module.class_of(function)
            if owner is not None and not self._stands_alone(owner):
                continue
            if self._is_test(function) or any(isinstance(a, ast.FunctionDef) for a in self.module.ancestors(function)):
                continue
            calls = called.get(function.name, [])
            if owner is not None:
                # ``model.train()`` is no call of a trainer's own ``train``.
                calls = [c for c in calls if isinstance(c.func, ast.Attribute) and name_of(c.func.value) == "self"]
            if all(self.module.function_of(c) is function for c in calls):
                yield function

    def _is_test(self, function: Function) -> bool:
        """Whether a function tries a model out on one batch, as tests do, and does not go over data."""
        if is_test_function(self.module, function):
            return True
        named = is_test_file(self.module.path) and function.name.startswith("test_")
        return named and not any(isinstance(n, ast.With) for n in self.module.below(function))

    def _stands_alone(self, owner: ast.ClassDef) -> bool:
        """Whether a class is no model and inherits nothing unseen that could switch modes around its methods."""
        info = self.context.project.info(owner, self.module)
        return info.framework is None and not set(info.external) - {"object", "abc.ABC", "ABC"}

    def begin(self, function: Function) -> None:
        """Walk one function with nothing known of its arguments."""
        judge = self.judge
        before = judge.models
        judge.models = {k: ModelState(UNKNOWN, m.content, parts=m.parts) for k, m in before.items()}
        judge.entry = function
        owner = self.module.class_of(function)
        self.methods.append(self._methods_of(owner) if owner else {})
        if owner is not None and function.name != "__init__" and "__init__" in self.methods[-1]:
            self.enter(self.methods[-1]["__init__"], Frame())
            for key, model in judge.models.items():
                if key.startswith("self."):
                    model.mode = UNKNOWN
        self.enter(function, Frame())
        self.methods.pop()
        judge.models, judge.entry = before, None

    def _methods_of(self, owner: ast.ClassDef) -> dict[str, Function]:
        """The methods of a class, those that it inherits within the file included."""
        found: dict[str, Function] = {}
        for info in self.context.project.info(owner, self.module).mro:
            for name, method in info.methods.items() if info.module is self.module else ():
                found.setdefault(name, method)
        return found

    # ── walking ─────────────────────────────────────────────────────────────────────────────────────────────────
    def enter(self, function: Function, frame: Frame) -> None:
        """Walk a function that is called, or that nobody calls."""
        if function in self.stack or len(self.stack) > _DEEPEST or self.steps > _STEPS or self._is_test(function):
            return
        decorators = {name_of(d.func if isinstance(d, ast.Call) else d) for d in function.decorator_list}
        frame.function = function
        frame.no_grad = frame.no_grad or bool(decorators & _NO_GRAD)
        named = EVALUATING_NAME.search(function.name) is not None
        body = self.module.below(function)
        learns = trains(body)
        frame.evaluating = (named or (frame.no_grad and looks_like_evaluation(body))) and not learns
        frame.only_passes = not named and not learns
        self.stack.append(function)
        self._block(function.body, frame)
        self.stack.pop()

    def _block(self, body: list[ast.stmt], frame: Frame) -> None:
        for statement in body:
            self.steps += 1
            self._statement(statement, frame)

    def _statement(self, node: ast.stmt, frame: Frame) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return
        if isinstance(node, ast.If):
            self._if(node, frame)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.While):
            self._loop(node, frame)
        elif isinstance(node, ast.With | ast.AsyncWith):
            self._with(node, frame)
        elif isinstance(node, ast.Try):
            self._block([*node.body, *(s for h in node.handlers for s in h.body), *node.orelse, *node.finalbody], frame)
        else:
            self.expressions(node, frame)
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                self.assign(node.targets[0], node.value, frame)

    def _if(self, node: ast.If, frame: Frame) -> None:
        self.expressions(node.test, frame)
        models = self.judge.models
        before = {k: m.mode for k, m in models.items()}
        self._block(node.body, frame)
        after = {k: m.mode for k, m in models.items()}
        test = node.test
        if isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__":
            return
        for key, mode in before.items():
            models[key].mode = mode
        self._block(node.orelse, frame)
        for key, model in models.items():
            mode = after.get(key, model.mode)
            if mode != model.mode:
                # Two branches that set two modes belong to a switch whose other half stands elsewhere.
                model.mode = UNKNOWN if node.orelse or names_phase(test) else mode | model.mode

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, frame: Frame) -> None:
        goes_over = node.test if isinstance(node, ast.While) else node.iter
        self.expressions(goes_over, frame)
        evaluating, called = frame.evaluating, frame.called
        if not isinstance(node, ast.While) and is_evaluation_data(goes_over) and not trains(self.module.below(node)):
            frame.evaluating = True
        if not isinstance(node, ast.While) and self._goes_through_phases(node):
            frame.evaluating = True
        frame.loops += 1
        for _ in range(2):
            frame.called = set()
            self._block(node.body, frame)
        frame.loops -= 1
        frame.called = called | frame.called
        frame.evaluating = evaluating
        self._block(node.orelse, frame)

    def _goes_through_phases(self, node: ast.For | ast.AsyncFor) -> bool:
        """Whether a loop trains and validates by turns, ``for phase in ("train", "val")``, and switches nothing."""
        phases = node.iter
        if isinstance(phases, ast.Name):
            bound = self.module.lookup(phases.id, self.module.scope_of(phases))
            phases = bound[0] if len(bound) == 1 and isinstance(bound[0], ast.expr) else phases
        if not isinstance(phases, ast.Tuple | ast.List) or not phases.elts:
            return False
        names = [e.value for e in phases.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
        if len(names) != len(phases.elts) or not any(EVALUATING_NAME.search(n) for n in names):
            return False
        body = self.module.below(node)
        switches = any(isinstance(n, ast.Attribute) and n.attr in {"eval", "train"} for n in body)
        return not switches and trains(body)

    def _with(self, node: ast.With | ast.AsyncWith, frame: Frame) -> None:
        evaluating, no_grad = frame.evaluating, frame.no_grad
        if any(turns_gradients_off(item.context_expr) for item in node.items):
            frame.no_grad = True
            named = frame.function is not None and EVALUATING_NAME.search(frame.function.name) is not None
            body = self.module.below(node)
            judges = measures(body) if self._is_training_step(node) else looks_like_evaluation(body)
            if not trains(body) and (named or judges):
                frame.evaluating = True
        self._block(node.body, frame)
        frame.evaluating, frame.no_grad = evaluating, no_grad

    def _is_training_step(self, node: ast.AST) -> bool:
        """Whether a block stands in the loop that learns, beside the step itself: targets of a teacher, say."""
        for around in self.module.ancestors(node):
            if isinstance(around, ast.For | ast.AsyncFor | ast.While):
                return trains(self.module.below(around))
            if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
                return False
        return False
