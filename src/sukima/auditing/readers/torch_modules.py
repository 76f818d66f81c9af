"""What audit knows of a live torch module: the kind of layer it is, its rate, its widths."""

from __future__ import annotations

from typing import Any

from torch import nn

from sukima.auditing.source.catalogue import LAYERS
from sukima.auditing.source.layer_specs import LayerSpec

__all__ = ["drops", "facts_of", "spec_of"]


def spec_of(module: nn.Module) -> LayerSpec | None:
    """The layer of the catalogue that a module is, by its class or one that it inherits from."""
    for base in type(module).__mro__:
        home = (
            "timm.layers"
            if base.__name__ == "DropPath"
            else "torchvision.ops"
            if "torchvision" in base.__module__
            else "torch.nn"
        )
        if base.__name__ in {"Module", "object"}:
            return None
        spec = LAYERS.get(f"{home}.{base.__name__}")
        if spec is not None:
            return spec
    return None


def facts_of(module: nn.Module, spec: LayerSpec | None) -> dict[str, Any]:
    """Rate, width and rank of a layer, by the attributes that torch gives it."""
    if spec is None:
        return {}
    facts: dict[str, Any] = {"rank": spec.rank}
    rate = getattr(module, "p", getattr(module, "drop_prob", None))
    if spec.kind == "recurrent":
        rate = getattr(module, "dropout", None)
        facts["fan_in"] = getattr(module, "num_layers", None)
    if spec.kind in {"dropout", "channel_dropout", "path_dropout", "recurrent"} and isinstance(rate, int | float):
        facts["rate"] = float(rate)
    for name in ("out_features", "out_channels", "embedding_dim", "hidden_size"):
        if isinstance(width := getattr(module, name, None), int):
            facts["width"] = width
    if spec.kind == "linear":
        facts["fan_in"] = getattr(module, "in_features", None)
    return facts


def drops(module: nn.Module) -> bool:
    """Whether a module is or holds dropout."""
    return any((spec := spec_of(part)) is not None and "dropout" in spec.kind for part in module.modules())
