"""What a comparison measures on a trained network besides its score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from sukima.comparison.outputs import averaged, data_of, may_average, outputs_on, probabilities, score
from sukima.engines.torch.data import example_input
from sukima.engines.torch.seeding import generators_restored, seed_everything
from sukima.records.task import Task
from sukima.torch.layers import is_weight_layer
from sukima.torch.modes import evaluating
from sukima.torch.sampling import sampling
from sukima.torch.sites import sites

__all__ = ["Measures", "co_adaptation", "sparsity"]

_NOISE = 0.5
"""Noise on the inputs, in standard deviations of the inputs."""

_PASSES = 50
"""Masked passes that are averaged: about as many as equal the unmasked pass in Srivastava et al. 2014, figure 11."""

_NEAR_ZERO = 0.01
"""Weights below this share of the largest in their layer count as zero."""

_ROWS, _UNITS = 2048, 512
"""The most rows and units of a layer whose correlations are looked at."""


class Measures:
    """Measures networks on the test data of a task (validation data where it has none)."""

    def __init__(self, task: Task) -> None:
        self.task, self._data = task, data_of(task)
        self._judged = self._data.get("test") or self._data["validation"]
        self._example = example_input(task)
        first, _ = next(self._judged.in_order())
        floating = isinstance(first, Tensor) and first.is_floating_point()
        self._noise = _NOISE * float(first.double().std()) if floating else 0.0

    def of(self, models: Sequence[nn.Module]) -> dict[str, float]:
        """The effects of one network, or of several that are averaged."""
        found: dict[str, float] = {}
        outputs, targets = self._together(models)
        if (classes := probabilities(self.task, outputs, targets)) is not None:
            found |= {"calibration": classes.calibration(), "brier": classes.brier()}
        if self._noise:
            found["noisy_loss"] = score(self.task, *self._together(models, self._noise)).loss
        each = [self._of_model(model, targets) for model in models]
        return found | {name: float(np.mean([one[name] for one in each])) for name in each[0]}

    def scores(self, models: Sequence[nn.Module]) -> dict[str, tuple[float, float | None]]:
        """Loss and metric of the averaged networks on each part of the data."""
        found = {}
        for name, data in self._data.items():
            outputs = [outputs_on(model, data) for model in models]
            whole = score(self.task, averaged(self.task, [o for o, _ in outputs]), outputs[0][1])
            found[name] = (whole.loss, whole.metric)
        return found

    def _together(self, models: Sequence[nn.Module], noise: float = 0.0) -> tuple[Tensor, Tensor]:
        found = [outputs_on(model, self._judged, noise) for model in models]
        targets = found[0][1]
        return (found[0][0] if len(found) == 1 else averaged(self.task, [outputs for outputs, _ in found])), targets

    def _of_model(self, model: nn.Module, targets: Tensor) -> dict[str, float]:
        found = {"sparsity": sparsity(model)}
        if (together := co_adaptation(model, next(self._judged.in_order())[0], self._example)) is not None:
            found["co_adaptation"] = together
        if may_average(self.task):
            found["masked"] = self._masked(model, targets)
        return found

    def _masked(self, model: nn.Module, targets: Tensor) -> float:
        """Loss of the mean of many masked passes less that of one pass without masks; 0 where nothing is dropped."""
        plain = score(self.task, outputs_on(model, self._judged)[0], targets).loss
        passes = []
        with generators_restored(), torch.no_grad():
            seed_everything(0)
            with sampling(model):
                for _ in range(_PASSES):
                    passes.append(torch.cat([model(inputs) for inputs, _ in self._judged.in_order()]))
                    if len(passes) == 2 and torch.equal(*passes):
                        return 0.0
        return score(self.task, averaged(self.task, passes), targets).loss - plain


def sparsity(model: nn.Module) -> float:
    """Share of weights (not biases) below a hundredth of the largest in their layer."""
    weights = [
        parameter.detach()
        for layer in model.modules()
        if is_weight_layer(layer)
        for parameter in layer.parameters(recurse=False)
        if parameter.ndim > 1
    ]
    small = sum(int((w.abs() < _NEAR_ZERO * w.abs().max()).sum()) for w in weights)
    return small / max(sum(w.numel() for w in weights), 1)


def co_adaptation(model: nn.Module, inputs: Tensor, example: Tensor) -> float | None:
    """Mean absolute correlation between the units of a hidden layer, over all hidden layers; ``None`` without any.

    Units that never change have no correlation and do not count. Positions of a sequence or an image are rows.
    """
    names = [name for name, site in sites(model, example).items() if site.place not in ("input", "output")]
    kept: list[Tensor] = []
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
    found = [_correlation(output) for output in kept if isinstance(output, Tensor) and output.ndim > 1]
    known = [value for value in found if value is not None]
    return float(np.mean(known)) if known else None


def _correlation(output: Tensor) -> float | None:
    rows = (output.movedim(1, -1) if output.ndim > 3 else output).flatten(0, -2)[:_ROWS, :_UNITS].double()
    rows = rows[:, rows.std(0) > 1e-12]
    units = rows.shape[1]
    if units < 2 or len(rows) < 3:
        return None
    together = torch.corrcoef(rows.T).abs()
    return float((together.sum() - units) / (units * (units - 1)))
