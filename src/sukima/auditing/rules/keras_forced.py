"""SK107: Keras called with training=True at inference."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from sukima.auditing.fixing import replace_node
from sukima.auditing.rule import Rule
from sukima.auditing.source.catalogue import LAYERS
from sukima.auditing.source.context import Context
from sukima.auditing.source.evaluation import is_evaluation_data, is_model_name
from sukima.auditing.source.gating import is_gated
from sukima.auditing.source.intent import is_demonstration, is_meant, name_of
from sukima.base.messages import say
from sukima.records.finding import Finding

__all__ = ["RULE"]

RULE = Rule(
    code="SK107",
    slug="keras-dropout-forced-on",
    why=(
        "training=True written into a Keras call keeps dropout (and batch statistics) on for good, also in "
        "predict and evaluate. For Monte Carlo dropout say so in the name or a comment and audit stays silent."
    ),
    remedy="Pass the training argument of call on, or leave it out: Keras fills it in.",
    bad="""
import keras
from keras import layers

inputs = keras.Input((784,))
x = layers.Dense(512, activation="relu")(inputs)
x = layers.Dropout(0.5)(x, training=True)
model = keras.Model(inputs, layers.Dense(10)(x))
""",
    good="""
import keras
from keras import layers

inputs = keras.Input((784,))
x = layers.Dense(512, activation="relu")(inputs)
x = layers.Dropout(0.5)(x)
model = keras.Model(inputs, layers.Dense(10)(x))
""",
    references=("https://keras.io/api/layers/regularization_layers/dropout/",),
)

_DATA = re.compile(r"^[xX]_?(train|test|val|valid|new|batch)|data|images|batch|samples")
_INFERENCE = re.compile(r"eval|valid|test|predict|infer|(^|_)val(_|$)", re.IGNORECASE)


@RULE.source
def check(context: Context) -> Iterator[Finding]:
    """Dropout layers, and models under evaluation, called with ``training=True``; ``learning_phase`` set to 1."""
    module = context.module
    for call in module.calls:
        keyword = next((k for k in call.keywords if k.arg == "training"), None)
        if keyword is None or not (isinstance(keyword.value, ast.Constant) and keyword.value.value in (True, 1)):
            continue
        if not (_is_dropout(context, call) or _is_inference(context, call)) or _is_silent(context, call):
            continue
        message = say(
            "{call} is forced into training mode: dropout stays on at inference",
            call=f"{ast.unparse(call.func)[:60]}(…)",
        )
        yield RULE.at(
            module, call, message, site=context.site_of(call), fix=replace_node(keyword.value, "None", safe=False)
        )
    for _, call in context.calls_to("keras.backend.set_learning_phase"):
        if (
            call.args
            and isinstance(call.args[0], ast.Constant)
            and call.args[0].value == 1
            and not _is_silent(context, call)
        ):
            yield RULE.at(module, call, say("the learning phase is set to training for good"))


def _is_silent(context: Context, call: ast.Call) -> bool:
    in_test = context.module.function_of(call) is not None and is_demonstration(context.module, call)
    return (
        in_test
        or _corrupts_data(context, call)
        or is_gated(context.module, call)
        or is_meant(context.module, call)
        or _in_tape(context, call)
    )


def _corrupts_data(context: Context, call: ast.Call) -> bool:
    """Whether a script applies a layer to its data, as to show what a denoising model is given."""
    at_top = context.module.function_of(call) is None and not _predicts(context, call)
    return (
        at_top and bool(call.args) and isinstance(call.args[0], ast.Name) and _DATA.search(call.args[0].id) is not None
    )


def _in_tape(context: Context, call: ast.Call) -> bool:
    return any(
        isinstance(a, ast.With) and "GradientTape" in ast.unparse(a.items[0].context_expr)
        for a in context.module.ancestors(call)
    )


def _is_dropout(context: Context, call: ast.Call) -> bool:
    """Whether the call applies a Keras dropout layer: made in place, or an attribute or variable that holds one."""
    if isinstance(call.func, ast.Call):
        spec = LAYERS.get(context.module.dotted(call.func.func) or "")
        return spec is not None and spec.framework == "keras" and spec.kind in {"dropout", "channel_dropout"}
    name = name_of(call.func)
    for dotted, made in context.layer_calls:
        if LAYERS[dotted].framework == "keras" and LAYERS[dotted].kind in {"dropout", "channel_dropout"}:
            parent = context.module.parents.get(made)
            if isinstance(parent, ast.Assign) and any(name_of(t) == name for t in parent.targets):
                return True
    return False


def _is_inference(context: Context, call: ast.Call) -> bool:
    if "tensorflow" not in context.module.source.text and "keras" not in context.module.source.text:
        return False
    if re.match(r"(prepare|build|get|create|load|make)_", name_of(call.func)):
        return False  # what makes a model is no call of one
    function = context.module.function_of(call)
    if function is None:
        return _predicts(context, call)
    return _INFERENCE.search(function.name) is not None and "train" not in function.name


def _predicts(context: Context, call: ast.Call) -> bool:
    """Whether a script calls a model once on data held out; who does it again and again averages over masks."""
    held_out = is_model_name(name_of(call.func)) and any(is_evaluation_data(argument) for argument in call.args)
    repeats = ast.For | ast.While | ast.ListComp | ast.GeneratorExp
    return held_out and not any(isinstance(around, repeats) for around in context.module.ancestors(call))
