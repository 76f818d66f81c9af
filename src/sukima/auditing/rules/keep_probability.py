"""SK212: a keep probability where the rate is meant."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from sukima.auditing.fixing import replace_node
from sukima.auditing.rule import Rule
from sukima.auditing.source.catalogue import LAYERS
from sukima.auditing.source.context import Context
from sukima.auditing.source.functions import mode_spec
from sukima.auditing.source.helpers import in_keras_v1
from sukima.auditing.source.intent import name_of
from sukima.auditing.source.values import argument
from sukima.base.messages import say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK212",
    slug="keep-probability-as-rate",
    why=(
        "torch and Keras take the probability of dropping. The older convention, and TensorFlow 1, took the "
        "probability of keeping: passed here, 0.9 kept becomes 0.9 dropped."
    ),
    remedy="Pass 1 - keep_prob.",
    bad="""
import torch.nn as nn

class Net(nn.Module):
    def __init__(self, keep_prob=0.9):
        super().__init__()
        self.drop = nn.Dropout(keep_prob)

    def forward(self, x):
        return self.drop(x)
""",
    good="""
import torch.nn as nn

class Net(nn.Module):
    def __init__(self, keep_prob=0.9):
        super().__init__()
        self.drop = nn.Dropout(1 - keep_prob)

    def forward(self, x):
        return self.drop(x)
""",
)

_KEEP = re.compile(r"keep|retain|survival", re.IGNORECASE)
_NOT = re.compile(r"keep_?(dim|state|ratio_init|all)|drop|keepdim", re.IGNORECASE)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """A name that says keep, passed as it is where the rate belongs."""
    for name, calls in context.calls.items():
        spec, mode = LAYERS.get(name), mode_spec(name)
        if spec is not None and spec.kind in {"dropout", "channel_dropout", "path_dropout"} and spec.rate:
            where = spec.rate
        elif mode is not None:
            where = (mode.rate, mode.rate_names)
        else:
            continue
        if name.startswith("tensorflow.") and in_keras_v1(context):
            continue
        for call in calls:
            rate = argument(call, *where)
            shown = _source(context, rate)
            if shown and rate is not None:
                fix = replace_node(rate, f"1 - {ast.unparse(rate)}", safe=False)
                yield RULE.at(
                    context.module,
                    call,
                    say("{name} looks like a keep probability; the rate is the probability of dropping", name=shown),
                    fix=fix,
                )


def _source(context: Context, rate: ast.expr | None) -> str:
    """The name of the rate, or of what a local variable or attribute of that rate was set from."""
    if not isinstance(rate, ast.Name | ast.Attribute):
        return ""
    name = name_of(rate)
    if _KEEP.search(name) and not _NOT.search(name):
        # A name that is set from one minus something holds a rate whatever it is called.
        return "" if _is_complement(context, name) else ast.unparse(rate)
    return ""


def _is_complement(context: Context, name: str) -> bool:
    text = context.module.source.text
    return re.search(rf"\b{re.escape(name)}\s*=\s*1(\.0*)?\s*-", text) is not None
