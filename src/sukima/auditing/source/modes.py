"""Follow train() and eval() through scripts and training functions: in which mode is a model when it is used?

Statements are walked in order, loops twice, calls of the file's own functions and methods are entered with their
arguments. A mode is a set of what it may be; an unknown mode is the empty set.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from sukima.auditing.source.content import Content, content_of
from sukima.auditing.source.intent import name_of
from sukima.auditing.source.names import Function

if TYPE_CHECKING:
    from sukima.auditing.source.context import Context

__all__ = ["ModeEvent", "follow_modes"]

EventKind = Literal["evaluated_in_training", "trained_after_eval", "trained_in_eval"]

_EVAL_NAME = re.compile(
    r"(^|_)(eval|evaluate|evaluation|validate|validation|valid|val|test|testing|predict|inference|infer|accuracy)(_|$)|"
    r"^(eval|test|valid|infer|predict)",
    re.IGNORECASE,
)
_EVAL_DATA = re.compile(
    r"(^|_|\b)(test|val|valid|validation|dev|eval)(_|set|loader|iter|data|dl|ds|dataset|gen|\b|$)", re.IGNORECASE
)
_JUDGING = re.compile(
    r"argmax|^max$|softmax|sigmoid|correct|^acc|accuracy|pred|score|^print$|metric|loss|result", re.IGNORECASE
)
_FROZEN = re.compile(r"freez|frozen|batch.?norm|\bbn\b|running stat|deterministic|on purpose|intention", re.IGNORECASE)
_TELLING = re.compile(r"no_grad|inference_mode|\.eval\(|\.train\(|backward\(|eval|valid|test|predict")
_NO_GRAD = frozenset({"no_grad", "inference_mode"})


@dataclass(frozen=True)
class ModeEvent:
    """A model used in the wrong mode: where, which, and how sure it is that its mode matters."""

    kind: EventKind
    node: ast.AST
    model: str
    certain: bool
    content: Content
    under_no_grad: bool = False


@dataclass
class _Model:
    mode: frozenset[str] = frozenset()
    content: Content = "unknown"
    set_at: ast.AST | None = None
    explicit: bool = False


@dataclass
class _Frame:
    """One function being walked: how its names map to models, and whether it evaluates."""

    names: dict[str, str] = field(default_factory=dict)
    evaluating: bool = False
    no_grad: bool = False
    called: set[str] = field(default_factory=set)
    meant: set[str] = field(default_factory=set)
    loops: int = 0
    function: Function | None = None


def follow_modes(context: Context) -> list[ModeEvent]:
    """The events of one file; nothing at all in files that neither train nor evaluate."""
    text = context.module.source.text
    if "backward(" not in text and "no_grad" not in text and "inference_mode" not in text and ".eval()" not in text:
        if not any(_EVAL_NAME.search(f.name) for f in context.module.functions):
            return []
        if "import torch" not in text and "from torch" not in text:
            return []
    walk = _Walk(context)
    walk.script()
    for function in walk.entries():
        walk.entry(function)
    return list(walk.events.values())


class _Walk:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.module = context.module
        self.models: dict[str, _Model] = {}
        self.events: dict[tuple[str, ast.AST], ModeEvent] = {}
        self.stack: list[Function] = []
        self.methods: list[dict[str, Function]] = []
        self.steps = 0
        self.optimised = self._optimised()

    def _optimised(self) -> set[str]:
        """Last names of the models whose parameters are given to an optimizer."""
        found = set()
        for call in self.context.calls_by_name.get("parameters", []):
            if isinstance(call.func, ast.Attribute):
                found.add(name_of(call.func.value))
        return found

    # ── where to begin ──────────────────────────────────────────────────────────────────────────────────────────
    def script(self) -> None:
        frame = _Frame()
        self._block(self.module.tree.body, frame)

    def entries(self) -> Iterator[Function]:
        """Functions that nothing in the file calls, outside models' own classes."""
        called = self.context.calls_by_name
        for function in self.module.functions:
            lines = self.module.source.lines[function.lineno - 1 : function.end_lineno]
            if not _EVAL_NAME.search(function.name) and not any(_TELLING.search(line) for line in lines):
                continue
            owner = self.module.class_of(function)
            if owner is not None and not self._stands_alone(owner):
                continue
            if function.name.startswith("test_") or any(
                isinstance(a, ast.FunctionDef) for a in self.module.ancestors(function)
            ):
                continue
            outside = [c for c in called.get(function.name, []) if self.module.function_of(c) is not function]
            if not outside:
                yield function

    def _stands_alone(self, owner: ast.ClassDef) -> bool:
        """Whether a class is no model and inherits nothing that could switch modes around its methods."""
        info = self.context.project.info(owner, self.module)
        return info.framework is None and not set(info.external) - {"object", "abc.ABC"}

    def entry(self, function: Function) -> None:
        before = self.models
        self.models = {k: _Model(frozenset(), m.content) for k, m in before.items()}
        owner = self.module.class_of(function)
        self.methods.append({n.name: n for n in owner.body if isinstance(n, ast.FunctionDef)} if owner else {})
        if owner is not None and function.name != "__init__" and "__init__" in self.methods[-1]:
            self._enter(self.methods[-1]["__init__"], _Frame())
            for key, model in self.models.items():
                if key.startswith("self."):
                    model.mode = frozenset()
        self._enter(function, _Frame())
        self.methods.pop()
        self.models = before

    # ── walking ─────────────────────────────────────────────────────────────────────────────────────────────────
    def _enter(self, function: Function, frame: _Frame) -> None:
        if function in self.stack or len(self.stack) > 6 or self.steps > 20_000:
            return
        decorators = {name_of(d.func if isinstance(d, ast.Call) else d) for d in function.decorator_list}
        frame.function = function
        frame.no_grad = bool(decorators & _NO_GRAD)
        frame.evaluating = (frame.no_grad or bool(_EVAL_NAME.search(function.name))) and not _trains(function)
        self.stack.append(function)
        self._block(function.body, frame)
        self.stack.pop()

    def _block(self, body: list[ast.stmt], frame: _Frame) -> None:
        for statement in body:
            self.steps += 1
            self._statement(statement, frame)

    def _statement(self, node: ast.stmt, frame: _Frame) -> None:
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

    def _if(self, node: ast.If, frame: _Frame) -> None:
        self._expressions(node.test, frame)
        before = {k: m.mode for k, m in self.models.items()}
        self._block(node.body, frame)
        after = {k: m.mode for k, m in self.models.items()}
        main = (
            isinstance(node.test, ast.Compare)
            and isinstance(node.test.left, ast.Name)
            and node.test.left.id == "__name__"
        )
        if main:
            return
        for key, mode in before.items():
            self.models[key].mode = mode
        self._block(node.orelse, frame)
        for key, model in self.models.items():
            mode = after.get(key, model.mode)
            if mode != model.mode:
                # Two branches that set two modes belong to a switch whose other half stands elsewhere.
                model.mode = frozenset() if node.orelse or _names_phase(node.test) else mode | model.mode

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, frame: _Frame) -> None:
        self._expressions(node.iter if isinstance(node, ast.For | ast.AsyncFor) else node.test, frame)
        evaluating, called = frame.evaluating, frame.called
        if isinstance(node, ast.For | ast.AsyncFor) and _over_evaluation_data(node) and not _trains(node):
            frame.evaluating = True
        frame.loops += 1
        for _ in range(2):
            frame.called = set()
            self._block(node.body, frame)
        frame.loops -= 1
        frame.called = called | frame.called
        frame.evaluating = evaluating
        self._block(node.orelse, frame)

    def _with(self, node: ast.With | ast.AsyncWith, frame: _Frame) -> None:
        off = any(self._turns_grad_off(item.context_expr) for item in node.items)
        evaluating, no_grad = frame.evaluating, frame.no_grad
        if off:
            frame.no_grad = True
            function = frame.function
            named = function is not None and _EVAL_NAME.search(function.name) is not None
            if not _trains(node) and (named or _looks_like_evaluation(node)):
                frame.evaluating = True
        self._block(node.body, frame)
        frame.evaluating, frame.no_grad = evaluating, no_grad

    def _turns_grad_off(self, node: ast.expr) -> bool:
        if not isinstance(node, ast.Call):
            return False
        name = name_of(node.func)
        if name == "set_grad_enabled":
            return bool(node.args) and isinstance(node.args[0], ast.Constant) and node.args[0].value is False
        return name in _NO_GRAD

    # ── what happens ────────────────────────────────────────────────────────────────────────────────────────────
    def _expressions(self, node: ast.AST, frame: _Frame) -> None:
        calls = [n for n in ast.walk(node) if isinstance(n, ast.Call)]
        for call in sorted(calls, key=lambda c: (c.end_lineno or 0, c.end_col_offset or 0)):
            self.steps += 1
            self._call(call, frame)

    def _call(self, call: ast.Call, frame: _Frame) -> None:
        func = call.func
        if isinstance(func, ast.Attribute):
            key = self._key(func.value, frame)
            if func.attr in {"eval", "train"} and key is not None and len(call.args) + len(call.keywords) <= 1:
                self._switch(call, func.attr, key, frame)
                return
            if func.attr == "backward":
                self._trained(call, frame)
                return
            if (
                isinstance(func.value, ast.Name)
                and func.value.id == "self"
                and self.methods
                and func.attr in self.methods[-1]
            ):
                self._follow(self.methods[-1][func.attr], call, frame, method=True)
                return
        used = self._key(func, frame)
        if used is not None and used in self.models:
            self._used(call, used, frame)
            return
        if isinstance(func, ast.Name):
            for binding in self.module.lookup(func.id, self.module.scope_of(call)):
                if isinstance(binding, ast.FunctionDef):
                    self._follow(binding, call, frame)
                    return
        bound = self.module.lookup(func.id, self.module.scope_of(call)) if isinstance(func, ast.Name) else []
        if any(isinstance(b, str | ast.FunctionDef | ast.ClassDef) for b in bound):
            return
        if isinstance(func, ast.Name) and frame.evaluating and _is_model_name(func.id):
            self._used(call, frame.names.get(func.id, func.id), frame)

    def _follow(self, function: Function, call: ast.Call, frame: _Frame, *, method: bool = False) -> None:
        inner = _Frame()
        parameters = [a.arg for a in function.args.args][1 if method else 0 :]
        for name, value in [
            *zip(parameters, call.args, strict=False),
            *((k.arg or "", k.value) for k in call.keywords),
        ]:
            key = self._key(value, frame)
            if key is not None and (key in self.models or _is_model_name(key)):
                inner.names[name] = key
        self._enter(function, inner)
        inherited = inner.called if not frame.no_grad else set()
        frame.called |= inherited

    def _key(self, node: ast.AST, frame: _Frame) -> str | None:
        if isinstance(node, ast.Name):
            return frame.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute) and node.attr == "module":
            return self._key(node.value, frame)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return f"{frame.names.get(node.value.id, node.value.id)}.{node.attr}"
        return None

    def _switch(self, call: ast.Call, method: str, key: str, frame: _Frame) -> None:
        given = call.args[0] if call.args else call.keywords[0].value if call.keywords else None
        mode: frozenset[str]
        if method == "eval":
            mode = frozenset({"eval"})
        elif given is None or (isinstance(given, ast.Constant) and given.value is True):
            mode = frozenset({"train"})
        elif isinstance(given, ast.Constant) and given.value is False:
            mode = frozenset({"eval"})
        else:
            mode = frozenset()
        model = self.models.setdefault(key, _Model())
        model.mode, model.set_at, model.explicit = mode, call, True
        if mode == {"train"} and frame.no_grad:
            frame.meant.add(key)

    def _assign(self, target: ast.expr, value: ast.expr, frame: _Frame) -> None:
        key = self._key(target, frame)
        if key is None:
            return
        chained = None
        while (
            isinstance(value, ast.Call)
            and isinstance(value.func, ast.Attribute)
            and value.func.attr in {"to", "cuda", "cpu", "eval", "train", "double", "float", "half", "requires_grad_"}
        ):
            chained = value.func.attr if value.func.attr in {"eval", "train"} and chained is None else chained
            value = value.func.value
        source = self._key(value, frame)
        if source is not None:
            if source in self.models and source != key:
                if isinstance(target, ast.Name):
                    frame.names[target.id] = source
                else:
                    self.models[key] = self.models[source]
            return
        if isinstance(value, ast.Call):
            inner = (
                value.args[0]
                if value.args and name_of(value.func) in {"DataParallel", "compile", "DistributedDataParallel"}
                else value
            )
            content = content_of(self.context, inner)
            if content is not None:
                mode = frozenset({"eval"}) if chained == "eval" else frozenset({"train"})
                self.models[key] = _Model(mode, content, value)
                if isinstance(target, ast.Name):
                    frame.names.pop(target.id, None)

    def _used(self, call: ast.Call, key: str, frame: _Frame) -> None:
        model = self.models.setdefault(key, _Model())
        if not frame.no_grad:
            frame.called.add(key)
        # Who switches to training where no gradient can flow means it: batch norm statistics, Monte Carlo passes.
        if not frame.evaluating or key in frame.meant:
            return
        if "eval" in model.mode or model.content == "none":
            return
        if not model.mode and (
            self._has_eval() or (model.content == "unknown" and not _is_model_name(key.rpartition(".")[2]))
        ):
            return
        certain = bool(model.mode) and (model.content == "dropout" or (model.explicit and model.content == "unknown"))
        certain = certain or model.content == "dropout"
        self._emit(ModeEvent("evaluated_in_training", call, key, certain, model.content, frame.no_grad))

    def _has_eval(self) -> bool:
        text = self.module.source.text
        return (
            ".eval()" in text
            or ".train(False)" in text
            or "train(mode=False)" in text
            or (".train(" in text and "not " in text)
        )

    def _trained(self, call: ast.Call, frame: _Frame) -> None:
        if not frame.loops and not frame.called:
            return
        for key in frame.called:
            model = self.models[key]
            if "eval" not in model.mode or model.set_at is None or model.content == "none":
                continue
            if key.rpartition(".")[2] not in self.optimised or self._is_frozen_on_purpose(model.set_at):
                continue
            together = self._inside_same_loop(model.set_at, call)
            self._emit(
                ModeEvent(
                    "trained_after_eval" if together else "trained_in_eval",
                    model.set_at,
                    key,
                    model.content == "dropout",
                    model.content,
                )
            )

    def _inside_same_loop(self, first: ast.AST, second: ast.AST) -> bool:
        """Whether the switch comes after the training in its function or loop, so that only the next round suffers."""
        return getattr(first, "lineno", 0) > getattr(second, "lineno", 0) or self.module.function_of(
            first
        ) is not self.module.function_of(second)

    def _is_frozen_on_purpose(self, node: ast.AST) -> bool:
        line = getattr(node, "lineno", 1)
        return any(_FROZEN.search(text) for text in self.module.source.lines[max(0, line - 3) : line + 1])

    def _emit(self, event: ModeEvent) -> None:
        known = self.events.get((event.kind, event.node))
        if known is None or (event.certain and not known.certain):
            self.events[(event.kind, event.node)] = event


def _trains(node: ast.AST) -> bool:
    return any(isinstance(n, ast.Attribute) and n.attr in {"backward", "zero_grad"} for n in ast.walk(node))


def _names_phase(node: ast.expr) -> bool:
    return any(
        re.search("phase|train|mode|split|eval|test", name_of(n), re.IGNORECASE) for n in ast.walk(node) if name_of(n)
    )


def _over_evaluation_data(node: ast.For | ast.AsyncFor) -> bool:
    return any(_EVAL_DATA.search(name_of(n)) for n in ast.walk(node.iter) if name_of(n))


def _looks_like_evaluation(node: ast.AST) -> bool:
    for found in ast.walk(node):
        if isinstance(found, ast.For):
            return True
        if isinstance(found, ast.Name | ast.Attribute) and (
            _EVAL_DATA.search(name_of(found)) or _JUDGING.search(name_of(found))
        ):
            return True
    return False


def _is_model_name(name: str) -> bool:
    return (
        re.search(
            r"^(model|net|network|classifier|cnn|mlp|rnn|lstm|gcn|gnn|bert|encoder_decoder)$|(_|^)(model|net)$|^my_?(model|net)$",
            name,
        )
        is not None
    )
