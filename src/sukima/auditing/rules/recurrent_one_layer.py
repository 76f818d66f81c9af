"""SK124: recurrent dropout with one layer."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sukima.auditing.fixing import remove_argument
from sukima.auditing.rule import Rule
from sukima.auditing.source.constants import MISSING, constant_of
from sukima.auditing.source.context import Context
from sukima.auditing.source.intent import is_demonstration
from sukima.auditing.source.values import argument
from sukima.base.messages import say
from sukima.records.finding import Finding
from sukima.records.model_view import ModelView

__all__ = ["RULE"]

RULE = Rule(
    code="SK124",
    slug="recurrent-dropout-one-layer",
    why=(
        "The dropout argument of nn.LSTM, nn.GRU and nn.RNN acts between stacked layers only. With one layer it "
        "does nothing but warn."
    ),
    remedy="Use a Dropout on the output, or more layers.",
    bad="""
import torch.nn as nn

rnn = nn.LSTM(32, 64, dropout=0.5)
""",
    good="""
import torch.nn as nn

rnn = nn.LSTM(32, 64, num_layers=2, dropout=0.5)
""",
    references=("https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html",),
)

_NAMES = ("torch.nn.LSTM", "torch.nn.GRU", "torch.nn.RNN")


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """A rate above 0, or one passed on, where the number of layers is surely one."""
    for dotted, call in context.calls_to(*_NAMES):
        given = next((k for k in call.keywords if k.arg == "dropout"), None)
        if (
            given is None
            or any(k.arg is None for k in call.keywords)
            or any(isinstance(a, ast.Starred) for a in call.args)
        ):
            continue
        rate = constant_of(context.module, given.value)
        layers = argument(call, 2, ("num_layers",))
        one = layers is None or constant_of(context.module, layers) == 1
        if (
            not one
            or (rate is not MISSING and not rate)
            or isinstance(given.value, ast.IfExp)
            or _in_test(context, call)
        ):
            continue
        name = dotted.rpartition(".")[2]
        yield RULE.at(
            context.module,
            call,
            say("dropout in a {name} of one layer does nothing", name=name),
            fix=remove_argument(context.module, given, safe=True),
        )


def _in_test(context: Context, call: ast.Call) -> bool:
    return context.module.function_of(call) is not None and is_demonstration(context.module, call)


@RULE.view
def check_view(view: ModelView) -> Iterator[Finding]:
    """The same in a live model, whose reader notes the number of layers."""
    for operation in view.operations:
        if operation.kind == "recurrent" and operation.fan_in == 1 and operation.rate and view.extras.get("live"):
            yield RULE.on(operation, say("dropout in a {name} of one layer does nothing", name=operation.name))
