"""SK237: test data used for early stopping."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from sukima.auditing.rule import Rule
from sukima.auditing.source.context import Context
from sukima.auditing.source.intent import name_of
from sukima.base.messages import say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK237",
    slug="stopping-on-test-data",
    why=(
        "Choosing the epoch by the test data makes the final test result optimistic: the data that judges must "
        "not choose."
    ),
    remedy="Split validation data off the training data (validation_split) and keep the test data for the end.",
    bad="""
import keras

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, x_test = x_train / 255.0, x_test / 255.0
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
stop = keras.callbacks.EarlyStopping(monitor="val_loss")
model.fit(x_train, y_train, validation_data=(x_test, y_test), callbacks=[stop])
model.evaluate(x_test, y_test)
""",
    good="""
import keras

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, x_test = x_train / 255.0, x_test / 255.0
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
stop = keras.callbacks.EarlyStopping(monitor="val_loss")
model.fit(x_train, y_train, validation_split=0.2, callbacks=[stop])
model.evaluate(x_test, y_test)
""",
)

_TEST = re.compile(r"(^|_)test(_|$|set|data|x|y|ing|gen|ds)|^[xyXY]_?test|^test", re.IGNORECASE)
_CHOOSING = re.compile(r"EarlyStopping|ModelCheckpoint|ReduceLROnPlateau|early_stop", re.IGNORECASE)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """``fit`` with a callback that chooses, on validation data named test data; loops that do the same."""
    module = context.module
    for call in context.calls_by_name.get("fit", []):
        given = {k.arg: k.value for k in call.keywords}
        data, callbacks = given.get("validation_data"), given.get("callbacks")
        if data is not None and callbacks is not None and _is_test(data) and _chooses(context, callbacks):
            yield RULE.at(module, call, say("early stopping chooses by the test data ({data})", data=ast.unparse(data)))
    yield from _loops(context)


def _is_test(node: ast.expr) -> bool:
    return any(_TEST.search(name_of(n)) for n in ast.walk(node) if isinstance(n, ast.Name | ast.Attribute))


def _chooses(context: Context, node: ast.expr) -> bool:
    text = ast.unparse(node)
    for found in ast.walk(node):
        if isinstance(found, ast.Name):
            bound = context.module.lookup(found.id, context.module.scope_of(found))
            text += " ".join(ast.unparse(b) for b in bound if isinstance(b, ast.expr))
    return _CHOOSING.search(text) is not None


def _loops(context: Context) -> Iterator[Finding]:
    """``if test_loss < best: … save or reset patience`` inside a training loop with a patience."""
    module = context.module
    if not re.search(r"patience|early.?stop", module.source.text, re.IGNORECASE):
        return
    for node in module.ifs:
        if not isinstance(node.test, ast.Compare):
            continue
        sides = [node.test.left, *node.test.comparators]
        test = any(re.search(r"^(cur\w*_)?test_(loss|acc|accuracy|error)", name_of(s)) for s in sides)
        best = any("best" in name_of(s) for s in sides)
        if test and best and re.search(r"patience|counter|wait|early|best_epoch|no_improve", ast.unparse(node)):
            yield RULE.at(
                module, node, say("early stopping chooses by the test data ({data})", data=ast.unparse(node.test))
            )
