"""Questions about a model's layout that several rules ask."""

from __future__ import annotations

import re

from sukima.records.model_view import DROPOUTS, TRANSPARENT, ModelView, Operation

__all__ = [
    "SQUASHING",
    "WEIGHTED",
    "batch_norm_beside",
    "channels_known",
    "is_output_layer",
    "last_layer_before",
    "place",
    "shown_rate",
]

WEIGHTED = frozenset({"linear", "conv", "recurrent", "attention", "embedding"})
SQUASHING = frozenset({"softmax", "sigmoid"})
_CLASSES = re.compile(
    r"(num|nb|n|no|number_of)_?(of_)?(class|classes|label|labels|categories|targets|tags|actions|outputs)$|"
    r"^(classes|labels|tagset_size|target_size|vocab_size|ntokens?|n_vocab|output_classes|class_num|label_size|"
    r"tgt_vocab_size|trg_vocab_size|target_vocab_size|out_classes)$|\.num_(labels|classes)$|\.vocab_size$",
    re.IGNORECASE,
)
_OUTPUT = re.compile(r"(^|\.|_)(out|output|outputs)_?(size|dim|dims|features|channels|units)?$|^n_out$|^num_out$")
_CLASSIFIER = re.compile(
    r"(^|\.)(classifier|output_layer|out_layer|output|logits|final_layer|fc_out|lm_head)$", re.IGNORECASE
)


def last_layer_before(view: ModelView, operation: Operation) -> Operation | None:
    """The linear layer, or convolution into classes, whose result dropout acts on, squashed at most."""
    found = view.before(operation, TRANSPARENT | SQUASHING | DROPOUTS)
    if len(found) != 1:
        return None
    per_pixel = found[0].kind == "conv" and _CLASSES.search(found[0].width_text.rpartition(" ")[2])
    return found[0] if found[0].kind == "linear" or per_pixel else None


def is_output_layer(view: ModelView, layer: Operation, *, squashed: bool) -> bool:
    """Whether a linear layer is a model's output layer rather than the end of a part.

    ``squashed`` says that a softmax or sigmoid follows before the result is returned.
    """
    text = layer.width_text.rpartition(" ")[2]
    if _CLASSES.search(text) or layer.squashed:
        return True
    # A layer as wide as what it is given weighs its input, as attention does; classes have a width of their own.
    if squashed and layer.width != 1 and not (text and layer.width_text == layer.fan_in_text):
        return True
    if view.extras.get("live"):
        return True
    if not _narrows(view, layer):
        return False
    named = bool(layer.site and _CLASSIFIER.search(layer.site))
    if view.whole or view.extras.get("model"):
        return layer.width is not None or bool(_OUTPUT.search(text)) or named
    return layer.width is not None and layer.width <= 20 and (named or _is_net(view.name))


def _is_net(name: str) -> bool:
    return re.search(r"(Net|Model|Classifier|CNN|MLP|RNN|LSTM|Network|Regressor)\d*$", name) is not None


def _narrows(view: ModelView, layer: Operation) -> bool:
    if layer.width is None:
        return True
    fan_in = layer.fan_in
    if fan_in is None:
        earlier = [o.width for o in view.upstream(layer) if o.kind in WEIGHTED and o.width is not None]
        fan_in = earlier[0] if earlier else None
    return fan_in is not None and layer.width < fan_in


def place(view: ModelView, operation: Operation) -> str:
    """Where a dropout stands, in the words of the guideline: after which kind of layer."""
    through = frozenset({"identity", "shape", "activation", "batch_norm", "norm", "pool", "arithmetic"})
    found = {o.kind for o in view.before(operation, through)}
    if found == {"input"}:
        return "input"
    if found == {"conv"}:
        return "convolution"
    if found == {"recurrent"}:
        return "recurrent"
    return "hidden" if found and found <= {"linear", "flatten"} else ""


def channels_known(view: ModelView, operation: Operation) -> bool:
    """Whether a dropout acts on feature maps: a convolution precedes, and nothing has flattened them away."""
    through = frozenset({"identity", "activation", "batch_norm", "norm"})
    todo = view.before(operation, through | {"pool"})
    if not todo or any(o.kind != "conv" or (o.rank or 0) < 4 for o in todo):
        return False
    pools = [o for o in view.upstream(operation) if o.kind == "pool" and o.index > min(t.index for t in todo)]
    return not any("daptive" in o.name or "lobal" in o.name or not o.name for o in pools)


def batch_norm_beside(view: ModelView, operation: Operation) -> bool:
    """Whether batch normalisation acts between the weight layer before a dropout and the dropout."""
    through = frozenset({"identity", "shape", "flatten", "activation", "pool"})
    found = view.before(operation, through)
    return bool(found) and all(o.kind == "batch_norm" for o in found)


def shown_rate(rate: float) -> str:
    """A rate as people write it."""
    return f"{rate:g}"
