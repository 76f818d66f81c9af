"""What a comparison asks of trained Keras models; see `sukima.engines.probe.Probe`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import keras
import numpy as np

from sukima.engines.keras.data import Data, TaskArrays, some_rows
from sukima.engines.keras.losses import final_metric, gives_logits, loss_by_rows, metric_by_rows
from sukima.engines.keras.model import new_model
from sukima.engines.keras.seeding import generators_restored
from sukima.engines.probe import Array
from sukima.keras.layers import has_sampling, is_weight_layer, weights_of
from sukima.keras.sites import layers_in_order, sites
from sukima.records.recipe import Recipe
from sukima.records.result import Score
from sukima.records.task import Task

__all__ = ["Probe", "hidden_outputs"]

_HIDDEN_ROWS = 1024


class Probe:
    """Looks at Keras models of one task. Models are called directly: to compile each would take longer."""

    class_axis = -1

    def __init__(self, task: Task) -> None:
        data = TaskArrays(task)
        self._task, self._data, self._train = task, data.parts(), data.train
        self.parts = tuple(self._data)

    @cached_property
    def logits(self) -> bool:
        """Whether the task's models give what is before the softmax or sigmoid."""
        with generators_restored():
            return gives_logits(new_model(self._task, Recipe(), self._train))

    def deviation(self, part: str) -> float:
        """Of the first batch of inputs; 0 where they are not floating-point numbers."""
        first, _ = next(self._data[part].in_order())
        floating = isinstance(first, np.ndarray) and first.dtype.kind == "f"
        return float(first.std(ddof=1, dtype=np.float64)) if floating else 0.0

    def targets(self, part: str) -> Array:
        """Of every row."""
        return self._data[part].targets

    def outputs(self, model: Any, part: str, noise: float = 0.0) -> Array:
        """What the model gives for every row, in inference mode."""
        rng = np.random.default_rng(0)
        found = []
        for inputs, _ in self._data[part].in_order():
            if noise:
                inputs = inputs + np.float32(noise) * rng.standard_normal(inputs.shape, np.float32)
            found.append(_given(model, inputs))
        return np.concatenate(found)

    def masked(self, model: Any, part: str, rows: int, passes: int) -> tuple[Array, list[Array]]:
        """What the model gives without masks, and in each of many masked passes; none where nothing is dropped."""
        inputs, found = _first(self._data[part], rows), list[Array]()
        plain = np.concatenate([_given(model, batch) for batch in inputs])
        with _sampled(model):
            for _ in range(passes):
                found.append(np.concatenate([_given(model, batch) for batch in inputs]))
                if len(found) == 2 and (found[0] == found[1]).all():
                    return plain, []
        return plain, found

    def hidden(self, model: Any, part: str) -> list[Array]:
        """What the hidden layers give for some rows."""
        return hidden_outputs(model, some_rows(self._data[part], _HIDDEN_ROWS)[0])

    def kernels(self, model: Any) -> list[Array]:
        """The weights, without biases."""
        layers = [layer for _, layer in layers_in_order(model) if is_weight_layer(layer)]
        return [keras.ops.convert_to_numpy(kernel) for layer in layers for kernel in weights_of(layer)]

    def arranged(self, outputs: Array, targets: Array) -> Array:
        """As they are: Keras has the classes last."""
        return outputs

    def score(self, outputs: Array, targets: Array) -> Score:
        """Loss and metric of outputs that are there."""
        task = self._task
        given, right = keras.ops.convert_to_tensor(outputs), keras.ops.convert_to_tensor(targets)
        loss = _mean(loss_by_rows(task.loss, logits=self.logits)(right, given))
        metric = metric_by_rows(task, logits=self.logits)
        return Score(loss, None if metric is None else final_metric(task, _mean(metric(right, given)), targets))


def _mean(values: Any) -> float:
    return float(keras.ops.convert_to_numpy(values).astype(np.float64).mean())


def _given(model: Any, inputs: Any) -> Array:
    result: Array = keras.ops.convert_to_numpy(model(inputs, training=False))
    return result


def _first(data: Data, rows: int) -> list[Any]:
    """The inputs of the first batches, about as many rows as that."""
    found, there = [], 0
    for inputs, targets in data.in_order():
        found.append(inputs)
        there += len(targets)
        if there >= rows:
            break
    return found


@contextmanager
def _sampled(model: Any) -> Iterator[None]:
    """Masks act at inference, with the same keys for every model; afterwards all is as it was."""
    layers = [layer for layer in model._flatten_layers() if has_sampling(layer)]
    states = [keras.ops.convert_to_numpy(layer.seed_generator.state).copy() for layer in layers]
    try:
        for number, (layer, state) in enumerate(zip(layers, states, strict=True)):
            layer.sampling = True
            layer.seed_generator.state.assign(np.array([number, 0], state.dtype))
        yield
    finally:
        for layer, state in zip(layers, states, strict=True):
            layer.sampling = False
            layer.seed_generator.state.assign(state)


def hidden_outputs(model: Any, inputs: Any) -> list[Array]:
    """What each hidden layer gives, its units as columns; positions of a sequence or an image are rows."""
    names = [name for name, site in sites(model).items() if site.place not in ("input", "output")]
    layers = dict(layers_in_order(model))
    kept: list[tuple[Any, Array]] = []
    with _heard([layers[name] for name in names], kept):
        _given(model, inputs)
    return [_rows(layer, values) for layer, values in kept if values.ndim > 1]


def _rows(layer: Any, values: Array) -> Array:
    first = getattr(layer, "data_format", "") == "channels_first" and values.ndim > 2
    return np.moveaxis(values, 1 if first else -1, -1).reshape(-1, values.shape[1 if first else -1])


@contextmanager
def _heard(layers: list[Any], kept: list[tuple[Any, Array]]) -> Iterator[None]:
    """Keep what each of the layers gives; Keras has no hooks."""

    def hear(layer: Any, call: Any) -> Any:
        def heard(*args: Any, **kwargs: Any) -> Any:
            result = call(*args, **kwargs)
            kept.append((layer, keras.ops.convert_to_numpy(result)))
            return result

        return heard

    for layer in layers:
        layer.call = hear(layer, layer.call)
    try:
        yield
    finally:
        for layer in layers:
            del layer.call
