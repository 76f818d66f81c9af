"""Follow a function without running it: which layers it makes, and which result goes where.

Both branches of a condition are taken and meet again, a loop's body is taken once for each known item, calls into
the project's own functions are followed to a limited depth. What is not understood is unknown, never an error.
"""

from __future__ import annotations

import ast
import re

from sukima.auditing.source.application import Applying
from sukima.auditing.source.classes import ClassInfo
from sukima.auditing.source.expressions import Evaluating
from sukima.auditing.source.names import Function, Module
from sukima.auditing.source.project import Project
from sukima.auditing.source.state import ExhaustedError
from sukima.auditing.source.statements import Executing
from sukima.auditing.source.values import (
    UNKNOWN,
    Const,
    Env,
    Instance,
    Items,
    LayerValue,
    Symbol,
    Tensor,
    Value,
    options,
)
from sukima.records.model_view import ModelView

__all__ = ["Interpreter", "instance_of", "view_of_class", "views_of_body"]


class Interpreter(Executing, Evaluating, Applying):
    """One following of one model or script."""


def instance_of(cls: ClassInfo, project: Project) -> tuple[Instance, bool]:
    """An object of a class made with its default arguments, and whether its making was followed to the end."""
    run = Interpreter(project, cls.module)
    made = Instance(cls)
    try:
        run.initialise(made, {})
    except ExhaustedError:
        return made, False
    return made, True


def view_of_class(cls: ClassInfo, project: Project) -> ModelView | None:
    """What the class's forward method does with its input."""
    forward = cls.forward
    home = cls.home(forward.name) if forward else None
    if forward is None or home is None:
        return None
    run = Interpreter(project, cls.module)
    framework = "keras" if cls.framework == "keras" else "torch"
    view = ModelView(run.operations, name=cls.name, framework=framework)  # type: ignore[arg-type]
    made = Instance(cls)
    try:
        run.initialise(made, {})
        run.steps = 0
        env = Env(home.module, dict(_inputs(run, forward, made)), None, made, home)
        result = run.run_body(forward, env)
        view.outputs = frozenset(_tensors(result))
    except ExhaustedError:
        view.partial = True
    view.extras["instance"] = made
    view.extras["dead"] = run.dead()
    view.extras["class"] = cls
    return view


def _inputs(run: Interpreter, forward: Function, made: Instance) -> list[tuple[str, Value]]:
    a = forward.args
    positional = [*a.posonlyargs, *a.args]
    found: list[tuple[str, Value]] = [(positional[0].arg, made)] if positional else []
    defaults = [None] * (len(positional) - len(a.defaults)) + list(a.defaults)
    for arg, default in zip(positional[1:], defaults[1:], strict=True):
        if default is None:
            found.append((arg.arg, run.emit("input", arg, run.module, name=arg.arg)))
        else:
            found.append((arg.arg, Symbol(arg.arg)))
    found += [(arg.arg, Symbol(arg.arg)) for arg in a.kwonlyargs]
    if a.vararg:
        found.append((a.vararg.arg, Items("tuple", [("0", run.emit("input", a.vararg, run.module))], complete=False)))
    return found


def _tensors(value: Value, depth: int = 4) -> set[int]:
    found: set[int] = set()
    for one in options(value):
        if isinstance(one, Tensor):
            found |= one.ops
        elif isinstance(one, Items) and depth:
            for _, item in one.pairs:
                found |= _tensors(item, depth - 1)
    return found


def views_of_body(module: Module, body: ast.Module | Function, project: Project) -> list[ModelView]:
    """The models that a script or a builder function makes: ``Sequential`` ones, and Keras' functional ones."""
    run = Interpreter(project, module)
    env = Env(module)
    partial = False
    try:
        if isinstance(body, ast.Module):
            run.execute(body.body, env)
        else:
            _bind_parameters(body, env)
            run.run_body(body, env)
    except ExhaustedError:
        partial = True
    views = [_graph_view(run, model.outputs, partial) for model in run.graph_models]
    if not views and run.keras_calls:
        views.append(_graph_view(run, frozenset(), partial))
    for made in run.sequentials:
        if view := _sequential_view(made, project, module, run.compiled):
            view.extras["model"] = _is_model(made, body)
            views.append(view)
    if views:
        views[0].extras["dead"] = run.dead()
    return views


_PART = re.compile(
    r"head|block|layer|classifier|top|branch|tower|ffn|feed|proj|embed|encoder|decoder|stem|aug", re.IGNORECASE
)


def _is_model(made: Items, body: ast.Module | Function) -> bool:
    """Whether a ``Sequential`` is by its name a model of its own and not a part of one."""
    if made.site is not None:
        return "." not in made.site and not _PART.search(made.site)
    return (
        isinstance(body, ast.Module)
        or re.search(r"model|net|mlp|cnn|build|create", body.name, re.IGNORECASE) is not None
    )


def _bind_parameters(function: Function, env: Env) -> None:
    a = function.args
    positional = [*a.posonlyargs, *a.args, *a.kwonlyargs]
    defaults = [*([None] * (len(a.posonlyargs) + len(a.args) - len(a.defaults))), *a.defaults, *a.kw_defaults]
    for arg, default in zip(positional, defaults, strict=True):
        known = isinstance(default, ast.Constant)
        env.names[arg.arg] = (
            Const(default.value, arg.arg) if known and isinstance(default, ast.Constant) else Symbol(arg.arg)
        )
    for extra in filter(None, (a.vararg, a.kwarg)):
        env.names[extra.arg] = UNKNOWN


def _graph_view(run: Interpreter, outputs: frozenset[int], partial: bool) -> ModelView:
    return ModelView(run.operations, outputs, framework="keras", whole=True, partial=partial)


def _sequential_view(made: Items, project: Project, module: Module, compiled: set[int]) -> ModelView | None:
    run = Interpreter(project, module)
    layers = [one for _, item in made.pairs for one in options(item) if isinstance(one, LayerValue)]
    framework = "keras" if any(layer.spec.framework == "keras" for layer in layers) else "torch"
    if not layers:
        return None
    view = ModelView(run.operations, framework=framework, name=made.site or "")  # type: ignore[arg-type]
    try:
        start = run.emit("input", made.node or module.tree, module)
        view.outputs = frozenset(_tensors(run.apply(made, [start], {}, made.node or module.tree, Env(module))))
    except ExhaustedError:
        view.partial = True
    view.extras["sequential"] = made
    view.whole = id(made) in compiled
    return view
