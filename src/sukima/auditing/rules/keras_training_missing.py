"""SK128: a Keras training loop that omits training=True."""

from __future__ import annotations

from collections.abc import Iterator

from sukima.auditing.fixing import add_argument
from sukima.auditing.rule import Rule
from sukima.auditing.source.context import Context
from sukima.auditing.source.intent import is_demonstration
from sukima.auditing.source.tapes import calls_under_tape, keras_content
from sukima.base.messages import say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK128",
    slug="keras-training-missing",
    why=(
        "Calling a Keras model outside fit means inference unless training=True is passed: in a custom loop "
        "dropout never drops and batch norm does not learn its statistics."
    ),
    remedy="Call model(x, training=True) inside the GradientTape.",
    bad="""
import keras
import tensorflow as tf
from keras import layers

model = keras.Sequential([layers.Dense(512, activation="relu"), layers.Dropout(0.5), layers.Dense(10)])
optimizer = keras.optimizers.Adam()
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = loss_fn(y, model(x))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
""",
    good="""
import keras
import tensorflow as tf
from keras import layers

model = keras.Sequential([layers.Dense(512, activation="relu"), layers.Dropout(0.5), layers.Dense(10)])
optimizer = keras.optimizers.Adam()
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = loss_fn(y, model(x, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
""",
    references=("https://keras.io/guides/writing_a_custom_training_loop_in_tensorflow/",),
)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Calls of models known to hold dropout under a tape whose gradient is taken for their own weights."""
    for call, name in calls_under_tape(context):
        in_test = context.module.function_of(call) is not None and is_demonstration(context.module, call)
        if keras_content(context, name) == "dropout" and not in_test:
            yield RULE.at(
                context.module,
                call,
                say("{model} is trained without training=True: its dropout never drops", model=name),
                site=name,
                fix=add_argument(context.module, call, "training=True"),
            )
