"""SK112: a rate of one or more."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sukima.auditing.placement import shown_rate
from sukima.auditing.rule import Rule
from sukima.auditing.source.catalogue import LAYERS
from sukima.auditing.source.constants import is_rate_name, number_of
from sukima.auditing.source.context import Context
from sukima.auditing.source.functions import mode_spec
from sukima.auditing.source.helpers import in_keras_v1
from sukima.auditing.source.intent import is_demonstration, is_test_file
from sukima.auditing.source.values import argument
from sukima.base.messages import say
from sukima.records.finding import Finding
from sukima.records.model_view import DROPOUTS, ModelView

__all__ = ["RULE"]

RULE = Rule(
    code="SK112",
    slug="rate-one-or-more",
    why=(
        "A rate of 1 drops everything: the layer outputs zeros and no gradient flows. More than 1 is an error "
        "or a percentage; often a keep probability was meant."
    ),
    remedy="Write the probability of dropping, between 0 and 1.",
    bad="""
import torch.nn as nn

body = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(1.0), nn.Linear(64, 10))
""",
    good="""
import torch.nn as nn

body = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 10))
""",
)

_DROPPING = DROPOUTS | {"path_dropout", "recurrent"}
_TAKING = {"dropout", "recurrent_dropout", "dropout_p"}


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Constant rates of layers and functions that drop, of recurrent and attention layers, and of models."""
    module = context.module
    for name, calls in context.calls.items():
        for call in calls:
            rate = _rate_of(name, call)
            value = number_of(module, rate)
            if value is not None and value >= 1 and not _is_harmless(context, call, name):
                yield _finding(context, call, value)
    for info in context.classes:
        if info.framework is not None:
            for call in context.calls_by_name.get(info.name, []):
                for keyword in call.keywords:
                    value = number_of(module, keyword.value) if keyword.arg and is_rate_name(keyword.arg) else None
                    if value is not None and value >= 1 and not is_demonstration_test(context, call):
                        yield _finding(context, call, value)


def _rate_of(name: str, call: ast.Call) -> ast.expr | None:
    spec = LAYERS.get(name)
    if spec is not None and spec.kind in _DROPPING and spec.rate is not None:
        return argument(call, *spec.rate)
    mode = mode_spec(name)
    if mode is not None:
        return argument(call, mode.rate, mode.rate_names)
    if spec is not None or name.endswith("scaled_dot_product_attention"):
        return next((k.value for k in call.keywords if k.arg in _TAKING), None)
    return None


def _is_harmless(context: Context, call: ast.Call, name: str) -> bool:
    return is_demonstration_test(context, call) or (name.startswith("tensorflow.") and in_keras_v1(context))


def is_demonstration_test(context: Context, call: ast.Call) -> bool:
    """Whether the call stands in a test; at the top of a script a rate of 1 is as wrong as anywhere."""
    return context.module.function_of(call) is not None and is_demonstration(context.module, call)


def _finding(context: Context, call: ast.Call, value: float) -> Finding:
    return RULE.at(context.module, call, say("rate {rate} drops everything", rate=shown_rate(value)))


@RULE.view
def check_view(view: ModelView) -> Iterator[Finding]:
    """Rates that are known only by following the model: passed through constructors, or live."""
    for operation in view.operations:
        if operation.path is not None and is_test_file(operation.path):
            continue
        if (
            operation.kind in _DROPPING
            and operation.rate is not None
            and operation.rate >= 1
            and operation.rate_text == ""
        ):
            yield RULE.on(operation, say("rate {rate} drops everything", rate=shown_rate(operation.rate)))
