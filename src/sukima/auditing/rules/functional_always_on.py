"""SK101: functional dropout that never looks at the mode."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sukima.auditing.fixing import add_argument
from sukima.auditing.rule import Rule
from sukima.auditing.source.caller_gating import gated_by_callers
from sukima.auditing.source.constants import constant_of
from sukima.auditing.source.context import Context
from sukima.auditing.source.functions import mode_spec
from sukima.auditing.source.gating import is_gated
from sukima.auditing.source.helpers import in_keras_v1, reached_from_forward, self_of
from sukima.auditing.source.intent import is_demonstration, is_meant, mentions_mode, name_of
from sukima.base.messages import say
from sukima.records.finding import Finding
from sukima.records.model_view import ModelView

__all__ = ["RULE"]

RULE = Rule(
    code="SK101",
    slug="functional-dropout-always-on",
    why=(
        "Functional dropout does not know whether the model is in training mode. Without training= it drops at "
        "evaluation too, so that validation and predictions are random and worse."
    ),
    remedy="Pass training=self.training, or use a dropout module.",
    bad="""
import torch.nn as nn
import torch.nn.functional as F

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 512)
        self.fc2 = nn.Linear(512, 10)

    def forward(self, x):
        x = F.dropout(F.relu(self.fc1(x)), 0.5)
        return self.fc2(x)
""",
    good="""
import torch.nn as nn
import torch.nn.functional as F

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 512)
        self.fc2 = nn.Linear(512, 10)

    def forward(self, x):
        x = F.dropout(F.relu(self.fc1(x)), 0.5, training=self.training)
        return self.fc2(x)
""",
    references=("https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html",),
)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Calls without the switch where the default is on, and calls with the mode where the rate belongs."""
    module = context.module
    for dropping in context.dropping_calls:
        dotted, call, rate = dropping.name, dropping.node, dropping.rate
        if dropping.passes_more or dropping.switch is not None or dropping.spec.default is not True:
            continue
        if rate is not None and _is_switch(rate):
            message = say(
                "{name} takes the rate second: the mode is passed as the rate, and dropout is on at evaluation",
                name=_shown(dotted),
            )
            yield RULE.at(module, call, message, site=context.site_of(call))
            continue
        if _is_silent(context, call, rate, dotted):
            continue
        mode = self_of(context, call)
        fix = add_argument(module, call, f"training={mode}.training") if mode and dropping.spec.training_names else None
        yield RULE.at(
            module,
            call,
            say("{name} drops at evaluation too: no training= is passed", name=_shown(dotted)),
            site=context.site_of(call),
            fix=fix,
        )


@RULE.source
def check_partial(context: Context) -> Iterator[Finding]:
    """``partial(F.dropout, p=0.5)`` without the switch, where no call of the result passes it either."""
    module = context.module
    for call in context.calls_by_name.get("partial", []):
        dotted = module.dotted(call.args[0]) if call.args else None
        spec = mode_spec(dotted)
        if (
            dotted is None
            or spec is None
            or spec.default is not True
            or any(k.arg in {"training", None} for k in call.keywords)
        ):
            continue
        parent = module.parents.get(call)
        names = {name_of(target) for target in parent.targets} if isinstance(parent, ast.Assign) else set()
        uses = [use for name in names for use in context.calls_by_name.get(name, [])]
        if uses and not any(k.arg == "training" for use in uses for k in use.keywords) and not is_meant(module, call):
            yield RULE.at(
                module, call, say("{name} drops at evaluation too: no training= is passed", name=_shown(dotted))
            )


def _shown(dotted: str) -> str:
    return dotted.replace("torch.nn.functional.", "F.").replace("tensorflow.", "tf.")


def _is_switch(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in {"training", "is_training"}


def _is_silent(context: Context, call: ast.Call, rate: ast.expr | None, dotted: str) -> bool:
    module = context.module
    if rate is not None and (constant_of(module, rate) in (0, 0.0) or mentions_mode(module, rate)):
        return True
    if dotted.startswith("tensorflow.") and in_keras_v1(context):
        return True
    if dotted.startswith("torch_geometric.") and not reached_from_forward(context, call, "torch"):
        return True  # outside a model these functions sample a graph or make it smaller
    return (
        is_gated(module, call)
        or is_demonstration(module, call)
        or gated_by_callers(context, call, rate)
        or is_meant(module, call)
    )


@RULE.view
def check_view(view: ModelView) -> Iterator[Finding]:
    """Functional dropout that a pass in inference mode was seen to apply."""
    forced = view.extras.get("forced", [])
    for operation in forced if isinstance(forced, list) else []:
        yield RULE.on(
            operation,
            say("{name} drops at evaluation too: it ran with training=True in eval mode", name=operation.name),
        )
