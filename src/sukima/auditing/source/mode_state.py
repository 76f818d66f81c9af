"""In which mode a model may be, and when its use there is a fault."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from sukima.auditing.source.content import Content
from sukima.auditing.source.evaluation import EVALUATING_NAME, is_model_name, names_no_model
from sukima.auditing.source.names import Function

if TYPE_CHECKING:
    from sukima.auditing.source.context import Context

__all__ = ["Frame", "Judge", "ModeEvent", "ModelState"]

EventKind = Literal["evaluated_in_training", "trained_after_eval", "trained_in_eval"]
EVAL, TRAIN, UNKNOWN = frozenset({"eval"}), frozenset({"train"}), frozenset[str]()

_EVAL = re.compile(r"\.eval\(\)|\.train\((mode=)?(False|not )")
_FROZEN = re.compile(r"freez|frozen|batch.?norm|\bbn\b|running stat|deterministic|on purpose|intention", re.IGNORECASE)


@dataclass(frozen=True)
class ModeEvent:
    """A model used in the wrong mode: where, which, and how sure it is that its mode matters.

    ``entry`` is the function that the walk began with, whose callers the file does not show.
    """

    kind: EventKind
    node: ast.AST
    model: str
    certain: bool
    content: Content
    under_no_grad: bool = False
    entry: Function | None = None


@dataclass
class ModelState:
    """What is known of one model. A mode is a set of what it may be; an unknown mode is the empty set."""

    mode: frozenset[str] = UNKNOWN
    content: Content = "unknown"
    set_at: ast.AST | None = None
    switches: set[str] = field(default_factory=set)
    loaded: bool = False
    parts: list[str] = field(default_factory=list)  # models that were given to its constructor


@dataclass
class Frame:
    """One function being walked: how its names map to models, and whether it evaluates."""

    names: dict[str, str] = field(default_factory=dict)
    evaluating: bool = False
    no_grad: bool = False
    only_passes: bool = False  # neither learns nor calls itself an evaluation
    called: set[str] = field(default_factory=set)
    meant: set[str] = field(default_factory=set)
    loops: int = 0
    function: Function | None = None


class Judge:
    """The models of one file while it is walked, and the events that their uses make."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.module = context.module
        self.models: dict[str, ModelState] = {}
        self.events: dict[tuple[str, ast.AST], ModeEvent] = {}
        self.entry: Function | None = None
        calls = [*context.calls_by_name.get("parameters", []), *context.calls_by_name.get("named_parameters", [])]
        # Last names of the models whose parameters are given to an optimizer.
        self.optimised = {last_name(c.func.value) for c in calls if isinstance(c.func, ast.Attribute)}
        text = self.module.source.text
        self.has_eval = _EVAL.search(text) is not None

    def switched(self, call: ast.Call, method: str, key: str, frame: Frame) -> None:
        """``train()`` or ``eval()`` of a model."""
        given = call.args[0] if call.args else call.keywords[0].value if call.keywords else None
        mode = UNKNOWN
        if method == "eval" or (isinstance(given, ast.Constant) and given.value is False):
            mode = EVAL
        elif given is None or (isinstance(given, ast.Constant) and given.value is True):
            mode = TRAIN
        model = self.models.setdefault(key, ModelState())
        parts = [part for part in self.models if part in model.parts or part.startswith(f"{key}.")]
        for one in (model, *(self.models[part] for part in parts)):
            one.mode, one.set_at = mode, call
            one.switches |= mode
        if mode == TRAIN and (frame.no_grad or frame.only_passes):
            frame.meant.add(key)

    def used(self, call: ast.Call, key: str, frame: Frame, *, evaluating: bool) -> None:
        """A model is applied; a fault if this is evaluation and its mode is not."""
        model = self.models.setdefault(key, ModelState())
        if not frame.no_grad:
            frame.called.add(key)
        # Who switches to training where nothing is learnt means it: batch norm statistics, Monte Carlo passes.
        moot = model.content == "none" or names_no_model(key.rpartition(".")[2])
        if not evaluating or key in frame.meant or "eval" in model.mode or moot:
            return
        if not model.mode and not self._may_matter(model, key):
            return
        if not model.mode and self.has_eval and not self.others_switch(key):
            return
        shown = "train" in model.switches  # who calls train() holds that the mode matters
        if model.mode and model.content == "unknown" and not shown and not model.loaded:
            return
        certain = model.content == "dropout" or (model.content == "unknown" and shown)
        self._emit("evaluated_in_training", call, key, model, certain=certain, no_grad=frame.no_grad)

    def others_switch(self, key: str) -> bool:
        """Whether a method beside the one begun with switches this model before it evaluates, and nobody else does."""
        owner = self.module.class_of(self.entry) if self.entry is not None else None
        if owner is None:
            return False
        methods = [m for m in owner.body if isinstance(m, ast.FunctionDef)]
        at = [(m, text) for m in methods if f"{key}.eval()" in (text := self.module.text_of(m))]
        return bool(at) and all(
            m is not self.entry and EVALUATING_NAME.search(m.name) and f"{key}(" in text for m, text in at
        )

    def _may_matter(self, model: ModelState, key: str) -> bool:
        return model.content not in {"unknown", "unseen"} or is_model_name(key.rpartition(".")[2])

    def trained(self, call: ast.Call, frame: Frame) -> None:
        """Gradients are taken of what the models called so far gave."""
        if not frame.loops and not frame.called:
            return
        for key in frame.called:
            model = self.models[key]
            if "eval" not in model.mode or model.set_at is None or model.content == "none":
                continue
            if any("train" in self.models[other].mode and self._beside(other, key) for other in frame.called):
                continue  # one learns from the other, which is held still on purpose
            learns = key.rpartition(".")[2] in self.optimised or model.switches >= {"train", "eval"}
            if not learns or self._is_frozen_on_purpose(model.set_at):
                continue
            kind: EventKind = "trained_after_eval" if self._comes_round(model.set_at, call) else "trained_in_eval"
            self._emit(kind, model.set_at, key, model, certain=model.content == "dropout")

    def _beside(self, one: str, other: str) -> bool:
        """Whether two models were switched by the same function."""
        here, there = self.models[one].set_at, self.models[other].set_at
        return (
            isinstance(here, ast.Call)
            and isinstance(here.func, ast.Attribute)
            and here.func.attr == "train"
            and there is not None
            and self.module.function_of(here) is self.module.function_of(there)
        )

    def _comes_round(self, switch: ast.AST, step: ast.AST) -> bool:
        """Whether the switch comes after the training in its function or loop, so that only the next round suffers."""
        later = getattr(switch, "lineno", 0) > getattr(step, "lineno", 0)
        return later or self.module.function_of(switch) is not self.module.function_of(step)

    def _is_frozen_on_purpose(self, node: ast.AST) -> bool:
        """By a comment beside the switch, or because the gradient is one of the input: nothing is learnt here."""
        line = getattr(node, "lineno", 1)
        lines = self.module.source.lines
        around = self.module.function_of(node)
        whole = lines[around.lineno - 1 : around.end_lineno] if around is not None else []
        return any(_FROZEN.search(text) for text in lines[max(0, line - 3) : line + 1]) or any(
            "requires_grad" in text for text in whole
        )

    def _emit(
        self, kind: EventKind, node: ast.AST, key: str, model: ModelState, *, certain: bool, no_grad: bool = False
    ) -> None:
        known = self.events.get((kind, node))
        if known is None or (certain and not known.certain):
            self.events[kind, node] = ModeEvent(kind, node, key, certain, model.content, no_grad, self.entry)


def last_name(node: ast.AST) -> str:
    """The last name of what holds a model: ``self.net.module`` is ``net``."""
    if isinstance(node, ast.Attribute):
        return last_name(node.value) if node.attr == "module" else node.attr
    return node.id if isinstance(node, ast.Name) else ""
