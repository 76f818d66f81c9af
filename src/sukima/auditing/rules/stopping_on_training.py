"""SK235: early stopping on a training metric."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sukima.auditing.fixing import replace_node
from sukima.auditing.rule import Rule
from sukima.auditing.source.context import Context
from sukima.base.messages import say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK235",
    slug="stopping-on-training-loss",
    why=(
        "The training loss goes on falling while the network overfits; stopping on it never stops, or stops for "
        "the wrong reason."
    ),
    remedy="Monitor val_loss or a validation metric.",
    bad="""
import keras

stop = keras.callbacks.EarlyStopping(monitor="loss", patience=3)
""",
    good="""
import keras

stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=3)
""",
    references=("https://keras.io/api/callbacks/early_stopping/",),
)

_TRAINING = {"loss", "train_loss", "training_loss", "accuracy", "acc", "train_acc", "train_accuracy", "train/loss"}


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """``EarlyStopping(monitor=…)`` of Keras, Lightning and others with a metric of the training data."""
    for call in context.calls_by_name.get("EarlyStopping", []):
        monitor = next((k.value for k in call.keywords if k.arg == "monitor"), call.args[0] if call.args else None)
        if isinstance(monitor, ast.Constant) and monitor.value in _TRAINING:
            fix = replace_node(
                monitor, f'"val_{str(monitor.value).removeprefix("train_").removeprefix("training_")}"', safe=False
            )
            yield RULE.at(
                context.module,
                call,
                say("early stopping watches {monitor}, a metric of the training data", monitor=repr(monitor.value)),
                fix=fix,
            )
