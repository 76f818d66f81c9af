"""SK213: a default rate of 0 that nobody overrides."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from sukima.auditing.rule import Rule
from sukima.auditing.source.classes import ClassInfo
from sukima.auditing.source.constants import is_rate_name
from sukima.auditing.source.context import Context
from sukima.auditing.source.values import argument
from sukima.base.messages import say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK213",
    slug="rate-zero-by-default",
    why=(
        "The model has dropout layers, their rate is 0 unless it is passed, and every construction in the file "
        "leaves it out: nothing is dropped."
    ),
    remedy="Pass a rate, or give the parameter the default that is meant.",
    bad="""
import torch.nn as nn

class Net(nn.Module):
    def __init__(self, dropout=0.0):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Dropout(dropout), nn.Linear(512, 10))

    def forward(self, x):
        return self.body(x)

model = Net()
""",
    good="""
import torch.nn as nn

class Net(nn.Module):
    def __init__(self, dropout=0.0):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Dropout(dropout), nn.Linear(512, 10))

    def forward(self, x):
        return self.body(x)

model = Net(dropout=0.5)
""",
)

_MADE_UP = re.compile(r"torch\.(randn?|ones|zeros|randint)\(")
_TRAINS = re.compile(r"backward\(|\.fit\(|Trainer\(|train\(")


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Whole models of a script whose only rate parameter is 0 by default and given by no construction."""
    text = context.module.source.text
    if _MADE_UP.search(text) and not _TRAINS.search(text):
        return  # a model made only to be shown needs no dropout
    for info in context.classes:
        init = info.methods.get("__init__")
        view = context.class_views.get(info.node)
        if init is None or view is None or not view.whole or not view.dropouts:
            continue
        rates = _zero_defaults(info)
        if not rates or any(d.rate != 0 for d in view.dropouts):
            continue
        made = [c for c in context.calls_by_name.get(info.name, []) if isinstance(c.func, ast.Name)]
        names = [a.arg for a in (*init.args.posonlyargs, *init.args.args)][1:]
        if made and not any(_passes(call, names, rates) for call in made):
            yield RULE.at(
                context.module,
                made[0],
                say(
                    "{owner} is made without {name}, which is 0 by default: nothing is dropped",
                    owner=info.name,
                    name=rates[0],
                ),
                site=info.name,
            )


def _zero_defaults(info: ClassInfo) -> list[str]:
    a = info.methods["__init__"].args
    positional = [*a.posonlyargs, *a.args]
    pairs = [
        *zip(positional[len(positional) - len(a.defaults) :], a.defaults, strict=True),
        *zip(a.kwonlyargs, a.kw_defaults, strict=True),
    ]
    return [
        p.arg
        for p, d in pairs
        if is_rate_name(p.arg) and isinstance(d, ast.Constant) and d.value in (0, 0.0) and d.value is not False
    ]


def _passes(call: ast.Call, names: list[str], rates: list[str]) -> bool:
    if any(k.arg is None for k in call.keywords) or any(isinstance(a, ast.Starred) for a in call.args):
        return True
    return any(argument(call, names.index(rate) if rate in names else None, (rate,)) is not None for rate in rates)
