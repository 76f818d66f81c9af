"""SK228: a Keras training loop that may omit training=True."""

from __future__ import annotations

from collections.abc import Iterator

from sukima.auditing.fixing import add_argument
from sukima.auditing.rule import Rule
from sukima.auditing.source.context import Context
from sukima.auditing.source.tapes import calls_under_tape, keras_content
from sukima.base.messages import say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK228",
    slug="keras-training-maybe-missing",
    why=(
        "Calling a Keras model outside fit means inference unless training=True is passed. Audit cannot see "
        "here whether the model holds dropout or batch norm."
    ),
    remedy="Call model(x, training=True) inside the GradientTape.",
    bad="""
import tensorflow as tf
from models import build_model

model = build_model()

def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(x) - y) ** 2)
    return tape.gradient(loss, model.trainable_variables)
""",
    good="""
import tensorflow as tf
from models import build_model

model = build_model()

def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(x, training=True) - y) ** 2)
    return tape.gradient(loss, model.trainable_variables)
""",
)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """The same as SK128 where the model's layers are not known or hold batch norm only."""
    for call, name in calls_under_tape(context):
        if keras_content(context, name) in {"unknown", "norm"}:
            yield RULE.at(
                context.module,
                call,
                say("{model} is trained without training=True", model=name),
                site=name,
                fix=add_argument(context.module, call, "training=True", safe=False),
            )
