"""What a comparison measures on a trained network besides its score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from sukima.comparison.outputs import averaged, may_average, probabilities
from sukima.engines.choose import framework
from sukima.engines.probe import Array
from sukima.records.result import Score
from sukima.records.task import Task

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
        self.task, self._probe = task, framework(task).probe(task)
        self._judged = "test" if "test" in self._probe.parts else "validation"
        self._noise = _NOISE * self._probe.deviation(self._judged)

    def of(self, model: Any) -> dict[str, float]:
        """The effects of one network."""
        targets = self._probe.targets(self._judged)
        found = self._of_outputs(self.outputs(model, (_JUDGED, _NOISY)), targets)
        found["sparsity"] = sparsity(self._probe.kernels(model))
        if (together := co_adaptation(self._probe.hidden(model, self._judged))) is not None:
            found["co_adaptation"] = together
        if may_average(self.task):
            found["masked"] = self._masked(model, targets)
        return found

    def outputs(self, model: Any, parts: Sequence[str] = ()) -> dict[str, Array]:
        """What the network gives on parts of the data (all by default), on those that are judged with noise too."""
        data = {name: name for name in self._probe.parts} | {_JUDGED: self._judged}
        wanted = parts or self._probe.parts
        found = {name: self._probe.outputs(model, data[name]) for name in wanted if name in data}
        if self._noise and (not parts or _NOISY in parts):
            found[_NOISY] = self._probe.outputs(model, self._judged, self._noise)
        return found

    def together(self, members: Sequence[Mapping[str, Array]]) -> tuple[dict[str, Score], dict[str, float]]:
        """Scores by part of the data, and effects, of networks whose predictions are averaged."""
        probe = self._probe
        targets = {name: probe.targets(name) for name in probe.parts}
        targets[_NOISY] = targets[self._judged]
        mean = {name: averaged(self.task, probe, [one[name] for one in members], targets[name]) for name in members[0]}
        scores = {name: probe.score(mean[name], targets[name]) for name in probe.parts}
        return scores, self._of_outputs({_JUDGED: mean[self._judged], **mean}, targets[self._judged])

    def _of_outputs(self, outputs: Mapping[str, Array], targets: Array) -> dict[str, float]:
        found: dict[str, float] = {}
        if (classes := probabilities(self.task, self._probe, outputs[_JUDGED], targets)) is not None:
            found |= {"calibration": classes.calibration(), "brier": classes.brier()}
        if _NOISY in outputs:
            found[_NOISY] = self._probe.score(outputs[_NOISY], targets).loss
        return found

    def _masked(self, model: Any, targets: Array) -> float:
        """Loss of the mean of many masked passes less that of one pass without masks; 0 where nothing is dropped."""
        plain, passes = self._probe.masked(model, self._judged, _MASKED_ROWS, _PASSES)
        if not passes:
            return 0.0
        some = targets[: len(plain)]
        together = averaged(self.task, self._probe, passes, some)
        return self._probe.score(together, some).loss - self._probe.score(plain, some).loss


def sparsity(kernels: Iterable[Array]) -> float:
    """Share of weights below a hundredth of the largest in their layer."""
    sizes = [np.abs(kernel) for kernel in kernels]
    small = sum(int((size < _NEAR_ZERO * size.max()).sum()) for size in sizes)
    return small / max(sum(size.size for size in sizes), 1)


def co_adaptation(hidden: Iterable[Array]) -> float | None:
    """Mean absolute correlation between the units of a layer, over layers of (rows, units); ``None`` without any.

    Units that never change have no correlation and do not count.
    """
    known = [value for layer in hidden if (value := _correlation(layer)) is not None]
    return float(np.mean(known)) if known else None


def _correlation(layer: Array) -> float | None:
    rows = layer[:_ROWS, :_UNITS].astype(np.float64)
    rows = rows[:, rows.std(0) > 1e-12]
    units = rows.shape[1]
    if units < 2 or len(rows) < 3:
        return None
    together = np.abs(np.corrcoef(rows.T))
    return float((together.sum() - units) / (units * (units - 1)))
