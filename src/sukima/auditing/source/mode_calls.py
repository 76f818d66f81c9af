"""What calls and assignments do to the models that a script holds: made, switched, used, passed on."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from sukima.auditing.source.content import content_of
from sukima.auditing.source.evaluation import is_evaluation_data, is_model_name, only_applies
from sukima.auditing.source.intent import name_of
from sukima.auditing.source.mode_state import EVAL, TRAIN, UNKNOWN, Frame, Judge, ModelState
from sukima.auditing.source.names import Function

if TYPE_CHECKING:
    from sukima.auditing.source.context import Context

__all__ = ["FollowingCalls"]

_SAME = frozenset({"to", "cuda", "cpu", "eval", "train", "double", "float", "half", "requires_grad_"})
_WRAPPERS = frozenset({"DataParallel", "compile", "DistributedDataParallel", "prepare"})
_MAKING_UP = frozenset(f"torch.{n}" for n in ("rand", "randn", "randint", "zeros", "ones", "arange", "linspace"))


class FollowingCalls:
    """Calls and assignments; who inherits follows the statements around them."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.module = context.module
        self.judge = Judge(context)
        self.stack: list[Function] = []
        self.methods: list[dict[str, Function]] = []
        self.steps = 0
        self.applies = only_applies(self.module.source.text)

    def enter(self, function: Function, frame: Frame) -> None:
        """Walk a function that is called."""
        raise NotImplementedError

    def expressions(self, node: ast.AST, frame: Frame) -> None:
        """Follow the calls in a statement or an expression, innermost first."""
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
        if any(k.arg is not None and "train" in k.arg for k in call.keywords) or any(map(_says_off, call.args)):
            return  # this model is told its mode, or its rate, in another way
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
        self.enter(function, inner)
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
    def assign(self, target: ast.expr, value: ast.expr, frame: Frame) -> None:
        """Note what a name now holds."""
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


def _says_off(node: ast.expr) -> bool:
    """``False`` or ``0.0``, written out."""
    value = node.value if isinstance(node, ast.Constant) else None
    return value is False or (isinstance(value, float) and value == 0)
