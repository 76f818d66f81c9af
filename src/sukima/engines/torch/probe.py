"""What a comparison asks of trained torch models; see `sukima.engines.probe.Probe`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sukima.engines.probe import Array
from sukima.engines.torch.data import Batches, example_input, open_data
from sukima.engines.torch.losses import classes_second, make_loss
from sukima.engines.torch.metrics import make_metric
from sukima.engines.torch.seeding import generators_restored, seed_everything
from sukima.records.result import Score
from sukima.records.task import Task, split_validation
from sukima.torch.layers import is_weight_layer
from sukima.torch.modes import evaluating
from sukima.torch.sampling import sampling
from sukima.torch.sites import sites

__all__ = ["Probe", "hidden_outputs", "kernels_of"]


class Probe:
    """Looks at torch models of one task."""

    class_axis, logits = 1, True

    def __init__(self, task: Task) -> None:
        train, validation = split_validation(task)
        parts = {"train": train, "validation": validation} | ({} if task.test is None else {"test": task.test})
        self._task, self._example = task, example_input(task)
        self._data: dict[str, Batches] = {name: open_data(name, part, task) for name, part in parts.items()}
        self.parts = tuple(self._data)

    def deviation(self, part: str) -> float:
        """Of the first batch of inputs; 0 where they are not floating-point numbers."""
        first, _ = next(self._data[part].in_order())
        return float(first.double().std()) if isinstance(first, Tensor) and first.is_floating_point() else 0.0

    def targets(self, part: str) -> Array:
        """Of every row."""
        return torch.cat([targets for _, targets in self._data[part].in_order()]).cpu().numpy()

    def outputs(self, model: nn.Module, part: str, noise: float = 0.0) -> Array:
        """What the model gives for every row, in inference mode."""
        generator = torch.Generator().manual_seed(0)
        found = []
        with evaluating(model), torch.no_grad():
            for inputs, _ in self._data[part].in_order():
                if noise:
                    drawn = torch.randn(inputs.shape, generator=generator, dtype=inputs.dtype)
                    inputs = inputs + noise * drawn.to(inputs.device)
                found.append(model(inputs))
        return torch.cat(found).cpu().numpy()

    def masked(self, model: nn.Module, part: str, rows: int, passes: int) -> tuple[Array, list[Array]]:
        """What the model gives without masks, and in each of many masked passes; none where nothing is dropped."""
        inputs, found = self._first(part, rows), list[Array]()
        with generators_restored(), torch.no_grad():
            seed_everything(0)
            with evaluating(model):
                plain = torch.cat([model(batch) for batch in inputs]).cpu().numpy()
            with sampling(model):
                for _ in range(passes):
                    found.append(torch.cat([model(batch) for batch in inputs]).cpu().numpy())
                    if len(found) == 2 and (found[0] == found[1]).all():
                        return plain, []
        return plain, found

    def _first(self, part: str, rows: int) -> list[Any]:
        """The first batches, about as many rows as that."""
        found, there = [], 0
        for inputs, targets in self._data[part].in_order():
            found.append(inputs)
            there += len(targets)
            if there >= rows:
                break
        return found

    def hidden(self, model: nn.Module, part: str) -> list[Array]:
        """What the hidden layers give for the first batch."""
        return hidden_outputs(model, next(self._data[part].in_order())[0], self._example)

    def kernels(self, model: nn.Module) -> list[Array]:
        """The weights, without biases."""
        return kernels_of(model)

    def arranged(self, outputs: Array, targets: Array) -> Array:
        """Outputs with the classes second."""
        return classes_second(torch.from_numpy(outputs), torch.from_numpy(targets)).numpy()

    def score(self, outputs: Array, targets: Array) -> Score:
        """Loss and metric of outputs that are there."""
        given, right = torch.from_numpy(outputs), torch.from_numpy(targets)
        metric = make_metric(self._task)
        if metric is not None:
            metric.add(given, right, len(right))
        return Score(float(make_loss(self._task.loss)(given, right)), None if metric is None else metric.value())


def kernels_of(model: nn.Module) -> list[Array]:
    """The weights of a model, without biases."""
    return [
        parameter.detach().cpu().numpy()
        for layer in model.modules()
        if is_weight_layer(layer)
        for parameter in layer.parameters(recurse=False)
        if parameter.ndim > 1
    ]


def hidden_outputs(model: nn.Module, inputs: Tensor, example: Tensor) -> list[Array]:
    """What each hidden layer gives, its units as columns; positions of a sequence or an image are rows."""
    names = [name for name, site in sites(model, example).items() if site.place not in ("input", "output")]
    kept: list[Any] = []
    handles = [
        module.register_forward_hook(lambda _module, _args, output: kept.append(output))
        for name, module in model.named_modules()
        if name in names
    ]
    try:
        with evaluating(model), torch.no_grad():
            model(inputs)
    finally:
        for handle in handles:
            handle.remove()
    tensors = [output for output in kept if isinstance(output, Tensor) and output.ndim > 1]
    return [(t.movedim(1, -1) if t.ndim > 3 else t).flatten(0, -2).cpu().numpy() for t in tensors]
