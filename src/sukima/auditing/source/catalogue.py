"""The classes of layers of all frameworks, by their canonical dotted name."""

from __future__ import annotations

from sukima.auditing.source.keras_layers import keras_layers
from sukima.auditing.source.layer_specs import LayerSpec
from sukima.auditing.source.torch_layers import torch_layers

__all__ = ["LAYERS"]

LAYERS: dict[str, LayerSpec] = {
    **torch_layers(),
    **keras_layers(),
    "timm.layers.DropPath": LayerSpec("torch", "path_dropout", (0, ("drop_prob",))),
    "torchvision.ops.StochasticDepth": LayerSpec("torch", "path_dropout", (0, ("p",))),
    "torchvision.ops.DropBlock2d": LayerSpec("torch", "channel_dropout", (0, ("p",)), rank=4),
}
