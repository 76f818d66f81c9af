"""Other Keras models for a task's variants; see `sukima.engines.variant`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from sukima.base.messages import say
from sukima.engines.keras.data import TaskArrays, some_rows
from sukima.engines.keras.seeding import generators_restored
from sukima.engines.variant import UnavailableError, with_model
from sukima.keras.layers import is_activation, is_batch_norm, is_convolution, is_weight_layer
from sukima.keras.rebuild import rebuilt
from sukima.keras.sites import is_graph, layers_in_order
from sukima.records.task import Task

__all__ = ["CHANGES"]

kl = keras.layers


def _batch_norm(task: Task) -> Task:
    """Batch normalisation between each dense layer or convolution and its activation."""

    def normed(model: Any) -> Any:
        _check_graph(model)
        layers = list(layers_in_order(model))
        if any(is_batch_norm(layer) for _, layer in layers):
            raise UnavailableError(say("the model has batch normalisation already"))
        last = [name for name, layer in layers if is_weight_layer(layer)][-1:]
        activations = {id(layer.input): layer for _, layer in layers if is_activation(layer) and _has_input(layer)}
        instead, after = dict[str, Any](), dict[str, list[Any]]()
        for name, layer in layers:
            if not (isinstance(layer, kl.Dense) or is_convolution(layer)) or name in last:
                continue
            norm = kl.BatchNormalization(_unit_axis(layer), name=f"{layer.name}_norm")
            if is_activation(layer):
                # What follows has the layer's name, so that the site has its own.
                instead[name] = _linear(layer)
                after[name] = [norm, kl.Activation(layer.activation, name=layer.name)]
            elif id(layer.output) in activations:
                after[name] = [norm]
        if not after:
            raise UnavailableError(say("no layer with an activation after it was found"))
        return rebuilt(model, instead, after)

    return _checked(with_model(task, normed), task)


def _has_input(layer: Any) -> bool:
    return len(layer._inbound_nodes) == 1 and len(layer._inbound_nodes[0].input_tensors) == 1


def _unit_axis(layer: Any) -> int:
    return 1 if getattr(layer, "data_format", "") == "channels_first" else -1


def _linear(layer: Any) -> Any:
    """The layer without its activation, with its weights."""
    made = type(layer).from_config({**layer.get_config(), "activation": None, "name": f"{layer.name}_linear"})
    made.build_from_config(layer.get_build_config())
    made.set_weights(layer.get_weights())
    return made


def _smaller(task: Task) -> Task:
    """Half as many units (or filters) in every hidden layer."""
    return _checked(with_model(task, _halved), task)


def _halved(model: Any) -> Any:
    _check_graph(model)
    layers = list(layers_in_order(model))
    weights = [layer for _, layer in layers if is_weight_layer(layer)]
    if len(weights) < 2:
        raise UnavailableError(say("it has no hidden layer"))
    for _, layer in layers:
        known = _width(layer) or is_batch_norm(layer) or isinstance(layer, kl.LayerNormalization | kl.Embedding)
        if layer.weights and not known:
            raise UnavailableError(say("it has a {layer}, whose width depends on others", layer=type(layer).__name__))

    def smaller(layer: Any) -> Any:
        if isinstance(layer, keras.Model):
            return keras.models.clone_model(layer, clone_function=smaller)
        config, width = layer.get_config(), _width(layer)
        if width and layer is not weights[-1]:
            config[width] = max(1, config[width] // 2)
        return type(layer).from_config(config)

    return keras.models.clone_model(model, clone_function=smaller)


def _width(layer: Any) -> str:
    """The argument that decides how many units it has; empty where there is none."""
    if not is_weight_layer(layer):
        return ""
    return next((name for name in ("units", "filters") if isinstance(layer.get_config().get(name), int)), "")


def _augmented(task: Task) -> Task:
    """Images moved by up to a tenth of their size in training; a recipe has noise for other inputs."""
    inputs, _ = some_rows(TaskArrays(task).train, 2)
    if getattr(inputs, "ndim", 0) != 4 or inputs.dtype.kind != "f":
        raise UnavailableError(say("the inputs are neither images nor rows of floating-point numbers"))

    def augmented(model: Any) -> Any:
        _check_graph(model)
        moved = kl.RandomTranslation(0.1, 0.1, fill_mode="nearest")
        if isinstance(model, keras.Sequential):
            begin = keras.Input(batch_shape=model.input_shape, dtype=model.input_dtype)
            return keras.Sequential([begin, moved, *model.layers], name=model.name)
        begun: dict[int, Any] = {}

        def begin_moved(tensor: Any) -> Any:
            if not isinstance(tensor._keras_history.operation, kl.InputLayer):
                return tensor
            if id(tensor) not in begun:
                begun[id(tensor)] = moved(tensor)
            return begun[id(tensor)]

        def called(layer: Any, *args: Any, **kwargs: Any) -> Any:
            return layer(*keras.tree.map_structure(begin_moved, args), **kwargs)

        return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=called)

    return _checked(with_model(task, augmented), task)


def _check_graph(model: Any) -> None:
    if not is_graph(model):
        raise UnavailableError(say("Keras does not know how the layers of a {kind} follow", kind=type(model).__name__))


def _checked(varied: Task, task: Task) -> Task:
    """``varied``, if its model takes the task's inputs and gives outputs of the same shape."""
    inputs, _ = some_rows(TaskArrays(task).train, 2)
    with generators_restored():
        expected = task.model()(inputs).shape
        try:
            shape = varied.model()(inputs).shape
        except (ValueError, TypeError, AttributeError) as error:
            why = say("the changed model fails: {why}", why=(str(error).splitlines() or [""])[0])
            raise UnavailableError(why) from None
    if shape != expected:
        raise UnavailableError(say("the changed model gives outputs of another shape"))
    return varied


CHANGES: dict[str, Callable[[Task], Task]] = {
    "batch_norm": _batch_norm,
    "smaller": _smaller,
    "augmentation": _augmented,
}
"""What a variant changes, by name."""
