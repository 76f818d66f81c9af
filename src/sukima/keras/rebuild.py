"""A model with other layers in some places, and all of its own layers and weights in the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from sukima.base.checks import check_instance
from sukima.base.errors import InputError
from sukima.keras.layers import TWINS
from sukima.keras.sites import is_graph, layers_in_order

__all__ = ["rebuilt", "replace", "twin"]


def twin(layer: Any) -> Any:
    """Our layer in the place of one of Keras', with its configuration; ``None`` where there is none."""
    made = TWINS.get(type(layer))
    return None if made is None else made.from_config(layer.get_config())


def replace(model: Any) -> Any:
    """A model with our dropout layers in the place of Keras', and the same layers and weights otherwise.

    Args:
        model: a functional or sequential model, nested ones included; it is left as it was.

    Returns:
        The new model, compiled as the old one was; the model itself if there is nothing to replace.
    """
    check_instance("model", model, keras.Model, "a keras.Model")
    made = {name: ours for name, layer in layers_in_order(model) if (ours := twin(layer)) is not None}
    return rebuilt(model, made, {}) if made else model


def rebuilt(model: Any, instead: Mapping[str, Any], after: Mapping[str, Sequence[Any]]) -> Any:
    """``model`` with other layers ``instead`` of those named, and more ``after`` those named, or what stands there.

    Layers that stay are the same objects: both models share their weights.

    Raises:
        InputError: Keras does not know how the model's layers follow each other.
    """
    new = _rebuilt(model, instead, after, "")
    if model.compiled:
        new.compile_from_config(model.get_compile_config())
    return new


def _rebuilt(model: Any, instead: Mapping[str, Any], after: Mapping[str, Sequence[Any]], prefix: str) -> Any:
    if not is_graph(model):
        raise InputError(
            "model: expected a sequential or functional one where dropout is inserted or replaced, got {kind}; put "
            "layers of sukima.keras into it instead",
            kind=type(model).__name__,
        )

    def chosen(layer: Any) -> Any:
        if isinstance(layer, keras.Model):
            inside = f"{prefix}{layer.name}."
            touched = any(name.startswith(inside) for name in (*instead, *after))
            return _rebuilt(layer, instead, after, inside) if touched else layer
        return instead.get(prefix + layer.name, layer)

    if isinstance(model, keras.Sequential):
        layers: list[Any] = []
        for layer in model.layers:
            layers += [chosen(layer), *after.get(prefix + layer.name, ())]
        if model.built:
            layers.insert(0, keras.Input(batch_shape=model.input_shape, dtype=model.input_dtype))
        return keras.Sequential(layers, name=model.name, trainable=model.trainable)

    followers = {
        id(instead.get(prefix + layer.name, layer)): after.get(prefix + layer.name, ()) for layer in model.layers
    }

    def called(layer: Any, *args: Any, **kwargs: Any) -> Any:
        result = layer(*args, **kwargs)
        for follower in followers.get(id(layer), ()):
            result = follower(result)
        return result

    return keras.models.clone_model(model, clone_function=chosen, call_function=called)
