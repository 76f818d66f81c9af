"""SK222: the mode as an argument of forward."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sukima.auditing.rule import Rule
from sukima.auditing.source.context import Context
from sukima.auditing.source.helpers import parameter_of, self_of
from sukima.auditing.source.intent import is_demonstration, is_meant
from sukima.base.messages import say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK222",
    slug="mode-as-argument",
    why=(
        "The mode is an argument of forward and true unless the caller says otherwise: eval() does not change it, and "
        "a Sequential or a training framework never passes it. Dropout stays on at evaluation."
    ),
    remedy="Use training=self.training, or a dropout module.",
    bad="""
import torch.nn as nn
import torch.nn.functional as F

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(512, 10)

    def forward(self, x, training=True):
        return self.fc(F.dropout(x, p=0.5, training=training))
""",
    good="""
import torch.nn as nn
import torch.nn.functional as F

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(512, 10)

    def forward(self, x):
        return self.fc(F.dropout(x, p=0.5, training=self.training))
""",
)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Switches that are a parameter of forward, true by default, which no call in the file passes."""
    module = context.module
    for dropping in context.dropping_calls:
        call = dropping.node
        parameter = parameter_of(context, dropping.switch)
        if parameter is None or parameter[0].name != "forward" or self_of(context, call) is None:
            continue
        function, name = parameter
        if not _is_true_by_default(function, name) or _is_passed(context, name):
            continue
        if is_meant(module, call) or is_demonstration(module, call):
            continue
        yield RULE.at(
            module,
            call,
            say("{name} is true unless the caller of forward passes it: eval() does not switch dropout off", name=name),
            site=context.site_of(call),
        )


def _is_true_by_default(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
    a = function.args
    positional = [*a.posonlyargs, *a.args]
    pairs = [
        *zip(positional[len(positional) - len(a.defaults) :], a.defaults, strict=True),
        *zip(a.kwonlyargs, a.kw_defaults, strict=True),
    ]
    return any(p.arg == name and isinstance(d, ast.Constant) and d.value is True for p, d in pairs)


def _is_passed(context: Context, name: str) -> bool:
    """Whether a call of something that is no dropout function passes the argument."""
    dropouts = {id(dropping.node) for dropping in context.dropping_calls}
    return any(
        keyword.arg == name for call in context.module.calls if id(call) not in dropouts for keyword in call.keywords
    )
