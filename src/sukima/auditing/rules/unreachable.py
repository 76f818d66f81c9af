"""SK108: a module that eval() cannot reach."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sukima.auditing.rule import Rule
from sukima.auditing.source.catalogue import LAYERS
from sukima.auditing.source.classes import ClassInfo
from sukima.auditing.source.content import class_content
from sukima.auditing.source.context import Context
from sukima.auditing.source.intent import is_demonstration
from sukima.auditing.source.values import Instance, Items, LayerValue, Value, options
from sukima.base.messages import say
from sukima.records.finding import Finding
from sukima.records.model_view import DROPOUTS, ModelView

__all__ = ["RULE"]

RULE = Rule(
    code="SK108",
    slug="module-out-of-reach",
    why=(
        "train() and eval() reach the modules that a module registers: attributes, ModuleList, ModuleDict, "
        "Sequential. One in a plain list or dict, in a closure or at the top of the file stays in training mode "
        "for ever, is not moved, saved or given to the optimizer."
    ),
    remedy="Use nn.ModuleList or nn.ModuleDict, or make it an attribute in __init__.",
    bad="""
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.drops = [nn.Dropout(0.5) for _ in range(3)]
        self.fc = nn.Linear(512, 10)

    def forward(self, x):
        for drop in self.drops:
            x = drop(x)
        return self.fc(x)
""",
    good="""
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.drops = nn.ModuleList([nn.Dropout(0.5) for _ in range(3)])
        self.fc = nn.Linear(512, 10)

    def forward(self, x):
        for drop in self.drops:
            x = drop(x)
        return self.fc(x)
""",
    references=("https://docs.pytorch.org/docs/stable/generated/torch.nn.ModuleList.html",),
)

_REGISTERS = ("add_module", "register_module", "setattr(", "ModuleList(self.", "Sequential(*self.", "ModuleDict(self.")


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Plain containers of modules with dropout in them, and dropout modules that live outside any module."""
    for info in context.classes:
        if info.framework == "torch" and info.forward is not None:
            yield from _containers(context, info)
    yield from _outside(context)


def _containers(context: Context, info: ClassInfo) -> Iterator[Finding]:
    made = context.instance(info)
    if made is None:
        return
    text = info.module.text_of(info.node)
    if any(marker in text for marker in _REGISTERS):
        return
    held = {id(v) for value in made.attributes.values() for v in _registered(value)}
    for name, value in made.attributes.items():
        for one in options(value):
            if not isinstance(one, Items) or one.kind not in {"list", "dict", "tuple"}:
                continue
            loose = next((v for v in _modules(one) if id(v) not in held and _drops(v)), None)
            if loose is not None and loose.node is not None and _is_read(info, name):
                yield RULE.at(
                    context.module,
                    _in_class(info, loose.node),
                    say(
                        "self.{name} is a plain {kind}: eval() does not reach the dropout in it",
                        name=name,
                        kind=one.kind,
                    ),
                    site=name,
                )


def _registered(value: Value) -> Iterator[Value]:
    for one in options(value):
        if isinstance(one, LayerValue | Instance):
            yield one
        elif isinstance(one, Items) and one.kind not in {"list", "dict", "tuple"}:
            yield from _modules(one)


def _modules(items: Items, depth: int = 3) -> Iterator[LayerValue | Instance]:
    for _, item in items.pairs:
        for one in options(item):
            if isinstance(one, LayerValue | Instance):
                yield one
            elif isinstance(one, Items) and depth:
                yield from _modules(one, depth - 1)


def _drops(value: LayerValue | Instance) -> bool:
    if isinstance(value, LayerValue):
        return value.spec.framework == "torch" and value.spec.kind in DROPOUTS | {"path_dropout"}
    return value.cls.framework == "torch" and class_content(value.cls) == "dropout"


def _is_read(info: ClassInfo, name: str) -> bool:
    return any(
        isinstance(n, ast.Attribute) and n.attr == name and isinstance(n.ctx, ast.Load)
        for cls in info.mro
        for n in cls.module.below(cls.node)
    )


def _in_class(info: ClassInfo, node: ast.AST) -> ast.AST:
    line = getattr(node, "lineno", 0)
    inside = info.node.lineno <= line <= (info.node.end_lineno or line)
    return node if inside else info.node


def _outside(context: Context) -> Iterator[Finding]:
    """Names bound to a dropout outside the class or function whose code applies them."""
    module = context.module
    for dotted, call in context.layer_calls:
        spec = LAYERS[dotted]
        parent = module.parents.get(call)
        if spec.framework != "torch" or spec.kind not in DROPOUTS:
            continue
        target = parent.targets[0] if isinstance(parent, ast.Assign) and len(parent.targets) == 1 else None
        if isinstance(parent, ast.arguments):
            target = None
            function = module.parents.get(parent)
            if isinstance(function, ast.FunctionDef) and function.name == "forward":
                yield RULE.at(module, call, say("a dropout as a default argument: eval() does not reach it"))
            continue
        if not isinstance(target, ast.Name):
            continue
        home = module.scope_of(call)
        for use in context.calls_by_name.get(target.id, []):
            if _closes_over(context, use, target.id, home.node) and not _is_switched(context, target.id):
                yield RULE.at(
                    module,
                    call,
                    say("{name} lives outside the module that applies it: eval() does not reach it", name=target.id),
                    site=target.id,
                )
                break


def _closes_over(context: Context, use: ast.Call, name: str, home: ast.AST) -> bool:
    module = context.module
    if not isinstance(use.func, ast.Name) or module.scope_of(use).node is home:
        return False
    scope = module.scope_of(use)
    while scope is not None and scope.node is not home:
        if name in scope.names and not scope.is_class:
            return False
        scope = scope.parent  # type: ignore[assignment]
    if scope is None or isinstance(scope.node, ast.ClassDef):
        return False
    owner = module.class_of(use)
    in_model = owner is not None and context.project.info(owner, module).framework == "torch"
    return (in_model or not isinstance(home, ast.Module)) and not is_demonstration(module, use)


def _is_switched(context: Context, name: str) -> bool:
    text = context.module.source.text
    return any(
        s in text for s in (f"{name}.eval(", f"{name}.train(", f"self.{name} = {name}", f"register_module({name!r}")
    )


@RULE.view
def check_view(view: ModelView) -> Iterator[Finding]:
    """Containers of a live module that hold modules it does not register."""
    found = view.extras.get("unreachable", [])
    for name in found if isinstance(found, list) else []:
        yield RULE.seen(
            say("self.{name} is a plain container: eval() does not reach the dropout in it", name=name), name
        )
