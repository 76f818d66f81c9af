"""Follow train() and eval() through scripts and training functions: in which mode is a model when it is used?

Statements are walked in order, loops twice; calls of the file's own functions and methods are entered with their
arguments.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sukima.auditing.source.content import content_of
from sukima.auditing.source.evaluation import (
    EVALUATING_NAME,
    is_evaluation_data,
    is_model_name,
    looks_like_evaluation,
    measures,
    names_phase,
    only_applies,
    trains,
    turns_gradients_off,
)
from sukima.auditing.source.intent import is_test_file, is_test_function, is_test_module, name_of
from sukima.auditing.source.mode_state import EVAL, TRAIN, UNKNOWN, Frame, Judge, ModeEvent, ModelState
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
_SAME = frozenset({"to", "cuda", "cpu", "eval", "train", "double", "float", "half", "requires_grad_"})
_WRAPPERS = frozenset({"DataParallel", "compile", "DistributedDataParallel", "prepare"})
_MAKING_UP = frozenset(f"torch.{n}" for n in ("rand", "randn", "randint", "zeros", "ones", "arange", "linspace"))
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


class _Walk:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.module = context.module
        self.judge = Judge(context)
        self.stack: list[Function] = []
        self.methods: list[dict[str, Function]] = []
        self.steps = 0
        self.applies = only_applies(self.module.source.text)

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
            self._enter(self.methods[-1]["__init__"], Frame())
            for key, model in judge.models.items():
                if key.startswith("self."):
                    model.mode = UNKNOWN
        self._enter(function, Frame())
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
    def _enter(self, function: Function, frame: Frame) -> None:
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
            self._expressions(node, frame)
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                self._assign(node.targets[0], node.value, frame)

    def _if(self, node: ast.If, frame: Frame) -> None:
        self._expressions(node.test, frame)
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
        self._expressions(goes_over, frame)
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

    # ── calls ───────────────────────────────────────────────────────────────────────────────────────────────────
    def _expressions(self, node: ast.AST, frame: Frame) -> None:
        calls = [n for n in self.module.below(node) if isinstance(n, ast.Call)]
        for call in sorted(calls, key=lambda c: (c.end_lineno or 0, c.end_col_offset or 0)):
            self.steps += 1
            self._call(call, frame)

    def _call(self, call: ast.Call, frame: Frame) -> None:
        func = call.func
        if isinstance(func, ast.Attribute) and self._method(call, func, frame):
            return
        used = self._key(func, frame)
        held = used is not None and used.startswith("self.") and self.judge.others_switch(used)
        if used is not None and (used in self.judge.models or (frame.evaluating and held)):
            self._used(call, used, frame)
            return
        if not isinstance(func, ast.Name):
            return
        bound = self.module.lookup(func.id, self.module.scope_of(call))
        for binding in bound:
            if isinstance(binding, ast.FunctionDef):
                self._follow(binding, call, frame)
                return
        if any(isinstance(b, str | ast.ClassDef | ast.Name | ast.Attribute) for b in bound):
            return
        if frame.evaluating and is_model_name(func.id):
            self._used(call, frame.names.get(func.id, func.id), frame)

    def _method(self, call: ast.Call, func: ast.Attribute, frame: Frame) -> bool:
        """Follow a call of a method, if it is one that matters here."""
        key = self._key(func.value, frame)
        models = self.judge.models
        if func.attr in {"eval", "train"} and key is not None and len(call.args) + len(call.keywords) <= 1:
            self.judge.switched(call, func.attr, key, frame)
        elif func.attr == "backward":
            self.judge.trained(call, frame)
        elif func.attr == "forward" and key in models:
            self._used(call, str(key), frame)
        elif func.attr == "load_state_dict" and key in models:
            models[str(key)].loaded = True
        elif (
            isinstance(func.value, ast.Name)
            and func.value.id == "self"
            and self.methods
            and func.attr in self.methods[-1]
        ):
            found = self.methods[-1][func.attr]
            self._follow(found, call, frame, method="staticmethod" not in {name_of(d) for d in found.decorator_list})
        else:
            return False
        return True

    def _used(self, call: ast.Call, key: str, frame: Frame) -> None:
        if any(k.arg is not None and "train" in k.arg for k in call.keywords):
            return  # this model is told its mode in another way
        if self.applies and call.args and all(self._is_made_up(argument) for argument in call.args):
            return  # a model tried out on random numbers, to see the shapes, say
        held_out = any(is_evaluation_data(argument) for argument in call.args) and not self._learns_here(frame)
        model = self.judge.models.get(key)
        applied = self.applies and model is not None and model.loaded
        self.judge.used(call, key, frame, evaluating=frame.evaluating or held_out or applied)

    def _is_made_up(self, node: ast.expr) -> bool:
        """Whether an input is drawn at random or constant, and no data."""
        if isinstance(node, ast.Name):
            bound = self.module.lookup(node.id, self.module.scope_of(node))
            return bool(bound) and all(isinstance(b, ast.Call) and self._is_made_up(b) for b in bound)
        while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _SAME:
            node = node.func.value
        return isinstance(node, ast.Call) and self.module.dotted(node.func) in _MAKING_UP

    def _learns_here(self, frame: Frame) -> bool:
        return frame.function is not None and not frame.no_grad and frame.function.name.startswith("train")

    def _follow(self, function: Function, call: ast.Call, frame: Frame, *, method: bool = False) -> None:
        inner = Frame(no_grad=frame.no_grad)
        parameters = [a.arg for a in function.args.args][1 if method else 0 :]
        given = [
            *zip(parameters, call.args, strict=False),
            *((k.arg or "", k.value) for k in call.keywords),
        ]
        for name, value in given:
            key = self._key(value, frame)
            if key is not None and (key in self.judge.models or is_model_name(key)):
                inner.names[name] = key
                if self._is_function(value):
                    self.judge.models[key] = ModelState(content="none")
            elif isinstance(value, ast.Call) and (content := content_of(self.context, value)) is not None:
                # A model made in the argument itself; the parameter is the only name it has.
                inner.names[name] = made = f"{name} of {function.name}"
                self.judge.models[made] = ModelState(TRAIN, content, value)
        self._enter(function, inner)
        frame.called |= inner.called if not frame.no_grad else set()

    def _comes_switched(self, call: ast.Call) -> bool:
        """Whether the function that makes a model calls ``eval()`` itself."""
        dotted = self.module.dotted(call.func)
        found = self.context.project.function_at(dotted, self.module) if dotted else None
        if found is None:
            return False
        module, function = found
        return ".eval()" in module.text_of(function)

    def _is_function(self, node: ast.AST) -> bool:
        """Whether a name is that of a plain function, as in models from scratch."""
        bound = self.module.lookup(node.id, self.module.scope_of(node)) if isinstance(node, ast.Name) else []
        return any(isinstance(b, ast.FunctionDef | ast.Lambda) for b in bound)

    def _key(self, node: ast.AST, frame: Frame) -> str | None:
        if isinstance(node, ast.Name):
            return frame.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute) and node.attr == "module":
            return self._key(node.value, frame)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return f"{frame.names.get(node.value.id, node.value.id)}.{node.attr}"
        return None

    # ── assignments ─────────────────────────────────────────────────────────────────────────────────────────────
    def _assign(self, target: ast.expr, value: ast.expr, frame: Frame) -> None:
        key = self._key(target, frame)
        if key is None:
            return
        chained = None
        while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in _SAME:
            chained = value.func.attr if value.func.attr in {"eval", "train"} and chained is None else chained
            value = value.func.value
        source = self._key(value, frame)
        if source is not None:
            self._alias(target, key, source, frame)
        elif isinstance(value, ast.Call):
            wrapped = bool(value.args) and name_of(value.func) in _WRAPPERS
            self._made(target, key, value.args[0] if wrapped else value, chained, frame)

    def _alias(self, target: ast.expr, key: str, source: str, frame: Frame) -> None:
        models = self.judge.models
        if source not in models and not (source.startswith("self.") and is_model_name(source[5:])):
            return
        if source == key:
            return
        if isinstance(target, ast.Name):
            frame.names[target.id] = source
        else:
            models[key] = models.setdefault(source, ModelState())

    def _made(self, target: ast.expr, key: str, value: ast.expr, chained: str | None, frame: Frame) -> None:
        content = content_of(self.context, value)
        if content is None or not isinstance(value, ast.Call):
            return
        # What transformers loads comes in eval mode; nobody wrote that switch, so nobody is blamed for it.
        ready = name_of(value.func) == "from_pretrained" and chained != "train"
        mode = EVAL if chained == "eval" or ready else UNKNOWN if self._comes_switched(value) else TRAIN
        loaded = self.module.dotted(value.func) in {"torch.load", "torch.jit.load"}
        given = (self._key(argument, frame) for argument in value.args)
        parts = [part for part in given if part is not None and part in self.judge.models]
        self.judge.models[key] = ModelState(mode, content, None if ready else value, loaded=loaded, parts=parts)
        if isinstance(target, ast.Name):
            frame.names.pop(target.id, None)
