"""SK239: inputs that nothing scales."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from sukima.auditing.rule import Rule
from sukima.auditing.source.context import Context
from sukima.base.messages import say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK239",
    slug="unscaled-inputs",
    why=(
        "Pixels from 0 to 255, or features of very different size, make training slow and unstable. Dropout "
        "does not replace preprocessing."
    ),
    remedy=(
        "Scale inputs to about 0–1 or to mean 0 and deviation 1, for instance by x / 255 or a Rescaling or "
        "Normalization layer."
    ),
    bad="""
import keras

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)])
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(x_train, y_train)
""",
    good="""
import keras

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train, x_test = x_train / 255.0, x_test / 255.0
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)])
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(x_train, y_train)
""",
)

_IMAGES = re.compile(r"datasets\.?(mnist|fashion_mnist|cifar10|cifar100)$|^(mnist|fashion_mnist|cifar10|cifar100)$")
_SCALES = re.compile(
    r"255|Rescaling|Normalization\(|normalize|preprocess_input|StandardScaler|MinMaxScaler|\.max\(\)|\.std\(|scale|/=|astype\([^)]*\)\s*/|BatchNormalization|autokeras",
    re.IGNORECASE,
)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Keras' image data sets, loaded and fitted in one file that scales nothing anywhere."""
    module = context.module
    if "fit" not in context.calls_by_name or _SCALES.search(module.source.text):
        return
    for call in context.calls_by_name.get("load_data", []):
        dotted = module.dotted(call.func.value) if isinstance(call.func, ast.Attribute) else None
        if dotted and _IMAGES.search(dotted):
            yield RULE.at(
                module,
                call,
                say("the pixels of {data} go into training unscaled (0–255)", data=dotted.rpartition(".")[2]),
            )
