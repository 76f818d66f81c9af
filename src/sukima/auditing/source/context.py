"""What the rules ask about one file; everything is worked out once, when first asked for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cached_property

from sukima.auditing.source.catalogue import LAYERS
from sukima.auditing.source.classes import ClassInfo
from sukima.auditing.source.dropping import DroppingCall
from sukima.auditing.source.functions import FUNCTIONS, mode_spec
from sukima.auditing.source.interpreter import instance_of, view_of_class, views_of_body
from sukima.auditing.source.modes import ModeEvent, follow_modes
from sukima.auditing.source.names import Function, Module
from sukima.auditing.source.project import Project
from sukima.auditing.source.values import Instance
from sukima.auditing.source.words import words
from sukima.records.model_view import ModelView

__all__ = ["Context"]

_EXTRA = words(
    """
        Sequential Model scaled_dot_product_attention memory_efficient_attention flash_attn_func
        flash_attn_varlen_func flash_attn_qkvpacked_func flash_attn_kvpacked_func
        flash_attn_varlen_qkvpacked_func flash_attn_varlen_kvpacked_func multi_head_attention_forward
        bernoulli rand rand_like binomial uniform random_uniform choice random Bernoulli EarlyStopping
        Adam dropout_adj dropout_edge dropout_node dropout_path stochastic_depth drop_block2d drop_path
        native_dropout feature_dropout dropout_ learning_phase set_learning_phase rrelu SGD AdamW
        RMSprop
        """
)
_INTERESTING = frozenset([*_EXTRA, *(n.rpartition(".")[2] for n in (*LAYERS, *FUNCTIONS))])
_BODY_HINTS = frozenset({"Sequential", "Model", "Input", "Dropout", "Dense"})
_PLAIN_CONTAINER = re.compile(r"self\.\w+(: [^=\n]+)? = [\[{]")
_DROPS = re.compile(r"drop", re.IGNORECASE)


class Context:
    """One file in its project."""

    def __init__(self, module: Module, project: Project) -> None:
        self.module = module
        self.project = project

    @cached_property
    def classes(self) -> list[ClassInfo]:
        """The classes of the file."""
        return self.project.classes(self.module)

    @cached_property
    def calls(self) -> dict[str, list[ast.Call]]:
        """The calls of names that matter to audit, by canonical dotted name."""
        found: dict[str, list[ast.Call]] = {}
        aliases = self._aliases()
        for call in self.module.calls:
            func = call.func
            last = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", None)
            if last in _INTERESTING or last in aliases:
                dotted = self.module.dotted(func)
                if dotted is not None:
                    found.setdefault(dotted, []).append(call)
        return found

    def _aliases(self) -> set[str]:
        found = set()
        for scope in self.module.scopes.values():
            for name, bindings in scope.names.items():
                for value in bindings:
                    last = value.rpartition(".")[2] if isinstance(value, str) else getattr(value, "attr", None)
                    if isinstance(value, ast.Name):
                        last = value.id
                    if last in _INTERESTING:
                        found.add(name)
        return found

    @cached_property
    def calls_by_name(self) -> dict[str, list[ast.Call]]:
        """All calls by the last part of what is called: ``drop`` for ``self.drop(x)``."""
        found: dict[str, list[ast.Call]] = {}
        for call in self.module.calls:
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", None)
            if name is not None:
                found.setdefault(name, []).append(call)
        return found

    @cached_property
    def loads_by_name(self) -> dict[str, list[ast.Name]]:
        """Where names are read."""
        found: dict[str, list[ast.Name]] = {}
        for load in self.module.loads:
            found.setdefault(load.id, []).append(load)
        return found

    def site_of(self, node: ast.AST) -> str | None:
        """Where a call stands, as ``Class.method``."""
        names = [
            around.name
            for around in self.module.ancestors(node)
            if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        ]
        return ".".join(reversed(names)) or None

    def calls_to(self, *dotted: str) -> Iterator[tuple[str, ast.Call]]:
        """Calls of these names, in the order of the names."""
        for name in dotted:
            for call in self.calls.get(name, []):
                yield name, call

    @cached_property
    def layer_calls(self) -> list[tuple[str, ast.Call]]:
        """Constructions of layers known to the catalogue."""
        return [(name, call) for name, calls in self.calls.items() if name in LAYERS for call in calls]

    @cached_property
    def dropping_calls(self) -> list[DroppingCall]:
        """Calls of functions that drop, also through an attribute that holds one: ``self.drop = F.dropout``."""
        found = [
            DroppingCall(name, call, spec)
            for name, calls in self.calls.items()
            if (spec := mode_spec(name)) is not None
            for call in calls
        ]
        for assignment in self.module.assignments:
            target = assignment.targets[0]
            if not isinstance(assignment.value, ast.Attribute | ast.Name) or not isinstance(target, ast.Attribute):
                continue
            name = self.module.dotted(assignment.value)
            spec = mode_spec(name)
            owner = self.module.class_of(assignment)
            if name is None or spec is None or owner is None:
                continue
            for call in self.calls_by_name.get(target.attr, []):
                if ast.unparse(call.func) == ast.unparse(target) and self.module.class_of(call) is owner:
                    found.append(DroppingCall(name, call, spec))
        return found

    @cached_property
    def views(self) -> list[ModelView]:
        """The models that this file describes: its modules, and what its scripts and builder functions put together."""
        found = [*self.class_views.values()]
        for body in self._bodies():
            found += [view for view in views_of_body(self.module, body, self.project) if view.operations]
        return found

    @cached_property
    def class_views(self) -> dict[ast.ClassDef, ModelView]:
        """The view of each class that has a forward method and something to do with dropout or an output."""
        found = {}
        for info in self.classes:
            if info.framework is None or info.forward is None or not self._matters(info):
                continue
            view = view_of_class(info, self.project)
            if view is not None:
                view.whole = self._is_root(info)
                found[info.node] = view
        return found

    def _matters(self, info: ClassInfo) -> bool:
        for cls in info.mro:
            text = cls.module.text_of(cls.node)
            if "oftmax" in text or _DROPS.search(text):
                return True
        return False

    def _bodies(self) -> Iterator[ast.Module | Function]:
        """The script's top level, and functions outside modules' classes that make layers."""
        wanted: set[ast.AST] = set()
        for name, calls in self.calls.items():
            if name.rpartition(".")[2] in _BODY_HINTS:
                for call in calls:
                    wanted.add(self.module.function_of(call) or self.module.tree)
        for body in wanted:
            if isinstance(body, ast.Module):
                yield body
            elif isinstance(body, ast.FunctionDef | ast.AsyncFunctionDef):
                owner = self.module.class_of(body)
                if owner is None or self.project.info(owner, self.module).framework is None:
                    yield body

    def _is_root(self, info: ClassInfo) -> bool:
        """Whether this is a model of its own: made by the script, not by another class, and trained or called there."""
        if info.method("training_step") or info.method("configure_optimizers"):
            return True
        inside, outside = 0, 0
        for load in self.loads_by_name.get(info.name, []):
            parent = self.module.parents.get(load)
            if isinstance(parent, ast.ClassDef):
                return False
            if not (isinstance(parent, ast.Call) and parent.func is load):
                continue
            owner = self.module.class_of(load)
            if owner is None or self.project.info(owner, self.module).framework is None:
                inside += self._is_handed_on(parent)
                outside += 1
            elif owner is not info.node:
                inside += 1
        return outside > 0 and not inside

    def _is_handed_on(self, made: ast.Call) -> bool:
        """Whether an object is given to the constructor of another: an attention to its decoder, say."""
        at = self.module.parents.get(made)
        while isinstance(at, ast.Call | ast.Attribute):
            if isinstance(at, ast.Call) and made in at.args and self._constructs(at):
                return True
            at = self.module.parents.get(at)
        names = {t.id for t in at.targets if isinstance(t, ast.Name)} if isinstance(at, ast.Assign) else set()
        for load in (load for name in names for load in self.loads_by_name.get(name, [])):
            parent = self.module.parents.get(load)
            if isinstance(parent, ast.keyword):
                parent = self.module.parents.get(parent)
            if isinstance(parent, ast.Call) and parent.func is not load and self._constructs(parent):
                return True
        return False

    def _constructs(self, call: ast.Call) -> bool:
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        return any(isinstance(binding, ast.ClassDef) for binding in self.module.lookup(name, self.module.scope))

    @cached_property
    def mode_events(self) -> list[ModeEvent]:
        """Where models are trained or evaluated in the wrong mode."""
        return follow_modes(self)

    def instance(self, info: ClassInfo) -> Instance | None:
        """An object of the class with the attributes that its constructor sets."""
        view = self.class_views.get(info.node)
        if view is not None:
            made = view.extras.get("instance")
            return made if isinstance(made, Instance) else None
        if not _PLAIN_CONTAINER.search(self.module.text_of(info.node)):
            return None
        return instance_of(info, self.project)[0]
