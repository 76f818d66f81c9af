"""What a comparison measures on a trained network besides its score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sukima.comparison.outputs import averaged, data_of, may_average, outputs_on, probabilities, score
from sukima.engines.torch.data import example_input
from sukima.engines.torch.seeding import generators_restored, seed_everything
from sukima.records.result import Score
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

_MASKED_ROWS = 1000
"""Rows that masked passes take, about: many passes over all of a large data set would take longer than training."""

_NEAR_ZERO = 0.01
"""Weights below this share of the largest in their layer count as zero."""

_JUDGED, _NOISY = "judged", "noisy_loss"
"""The names of outputs on the data that effects are measured on: as they are, and with noise on the inputs."""

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

    def of(self, model: nn.Module) -> dict[str, float]:
        """The effects of one network."""
        targets = outputs_on(model, self._judged)[1]
        found = self._of_outputs(self.outputs(model, (_JUDGED, _NOISY)), targets) | {"sparsity": sparsity(model)}
        if (together := co_adaptation(model, next(self._judged.in_order())[0], self._example)) is not None:
            found["co_adaptation"] = together
        if may_average(self.task):
            found["masked"] = self._masked(model, targets)
        return found

    def outputs(self, model: nn.Module, parts: Sequence[str] = ()) -> dict[str, NDArray[Any]]:
        """What the network gives on parts of the data (all by default), on those that are judged with noise too."""
        data = {**self._data, _JUDGED: self._judged}
        found = {name: outputs_on(model, data[name])[0].cpu().numpy() for name in (parts or self._data) if name in data}
        if self._noise and (not parts or _NOISY in parts):
            found[_NOISY] = outputs_on(model, self._judged, self._noise)[0].cpu().numpy()
        return found

    def together(self, members: Sequence[Mapping[str, NDArray[Any]]]) -> tuple[dict[str, Score], dict[str, float]]:
        """Scores by part of the data, and effects, of networks whose predictions are averaged."""
        mean = {
            name: averaged(self.task, [torch.from_numpy(one[name]) for one in members]).numpy() for name in members[0]
        }
        targets = {name: torch.cat([t for _, t in data.in_order()]).cpu() for name, data in self._data.items()}
        scores = {name: score(self.task, torch.from_numpy(mean[name]), targets[name]) for name in self._data}
        judged = "test" if "test" in self._data else "validation"
        return scores, self._of_outputs({_JUDGED: mean[judged], **mean}, targets[judged])

    def _of_outputs(self, outputs: Mapping[str, NDArray[Any]], targets: Tensor) -> dict[str, float]:
        found: dict[str, float] = {}
        targets = targets.cpu()
        if (classes := probabilities(self.task, torch.from_numpy(outputs[_JUDGED]), targets)) is not None:
            found |= {"calibration": classes.calibration(), "brier": classes.brier()}
        if _NOISY in outputs:
            found[_NOISY] = score(self.task, torch.from_numpy(outputs[_NOISY]), targets).loss
        return found

    def _masked(self, model: nn.Module, targets: Tensor) -> float:
        """Loss of the mean of many masked passes less that of one pass without masks; 0 where nothing is dropped."""
        inputs, rows = self._some_inputs()
        passes = []
        with generators_restored(), torch.no_grad():
            seed_everything(0)
            with evaluating(model):
                plain = torch.cat([model(part) for part in inputs])
            with sampling(model):
                for _ in range(_PASSES):
                    passes.append(torch.cat([model(part) for part in inputs]))
                    if len(passes) == 2 and torch.equal(*passes):
                        return 0.0
        together = score(self.task, averaged(self.task, passes), targets[:rows]).loss
        return together - score(self.task, plain, targets[:rows]).loss

    def _some_inputs(self) -> tuple[list[Any], int]:
        """The first batches, about as many rows as many passes should take."""
        found, rows = [], 0
        for inputs, targets in self._judged.in_order():
            found.append(inputs)
            rows += len(targets)
            if rows >= _MASKED_ROWS:
                break
        return found, rows


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
