"""Predictions with their uncertainty, from many masked passes (Gal & Ghahramani 2016)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from sukima.base.checks import check_choice, check_count, check_instance
from sukima.base.errors import InputError
from sukima.masks.key import MaskKey
from sukima.torch.sampling import consistent, sampling

__all__ = ["Ensemble", "Prediction", "predict"]

Output = Literal["values", "logits", "binary_logits", "probabilities"]
_OUTPUTS = ("values", "logits", "binary_logits", "probabilities")


@dataclass(frozen=True)
class Prediction:
    """What many masked passes say, by row of the input.

    Attributes:
        mean: the mean over samples: of the outputs, or of the probabilities; (N, …).
        variance: the variance over samples, of the same (division by their number).
        entropy: entropy of the mean, in nats: the whole uncertainty; ``None`` for values that are no probabilities.
        mutual_information: its part that more data could remove: entropy of the mean less the mean entropy, in nats.
        samples: every sample, (samples, N, …), where asked for.
    """

    mean: Tensor
    variance: Tensor
    entropy: Tensor | None
    mutual_information: Tensor | None
    samples: Tensor | None


def _entropy(probabilities: Tensor, output: str) -> Tensor:
    nats: Tensor = torch.special.entr(probabilities)
    return nats + torch.special.entr(1 - probabilities) if output == "binary_logits" else nats.sum(-1)


def _converted(raw: Tensor, output: str) -> Tensor:
    if output == "logits":
        return raw.softmax(-1)
    return torch.sigmoid(raw) if output == "binary_logits" else raw


class _Gathered:
    """Mean, variance and mean entropy, from samples that come in parts (Chan et al. 1983), in double precision."""

    def __init__(self, output: str, keep: bool) -> None:
        self._output, self._keep = output, keep
        self._count = 0
        self._mean = self._squares = self._entropies = torch.zeros((), dtype=torch.float64)
        self._kept: list[Tensor] = []

    def add(self, raw: Tensor) -> None:
        """Take samples (S, N, …)."""
        values = _converted(raw, self._output)
        exact, count = values.double(), len(values)
        mean = exact.mean(0)
        shift, total = mean - self._mean, self._count + count
        self._squares = self._squares + (exact - mean).square().sum(0) + shift.square() * self._count * count / total
        self._mean = self._mean + shift * count / total
        if self._output != "values":
            self._entropies = self._entropies + _entropy(exact, self._output).sum(0)
        self._count = total
        self._type = values.dtype
        if self._keep:
            self._kept.append(values)

    def result(self) -> Prediction:
        entropy = information = None
        if self._output != "values":
            whole = _entropy(self._mean, self._output)
            entropy = whole.to(self._type)
            information = (whole - self._entropies / self._count).clamp(min=0).to(self._type)
        return Prediction(
            mean=self._mean.to(self._type),
            variance=(self._squares / self._count).to(self._type),
            entropy=entropy,
            mutual_information=information,
            samples=torch.cat(self._kept) if self._keep else None,
        )


def _joined(parts: Sequence[Prediction]) -> Prediction:
    def join(name: str, dim: int = 0) -> Any:
        values = [getattr(part, name) for part in parts]
        return None if values[0] is None else torch.cat(values, dim)

    return Prediction(
        join("mean"), join("variance"), join("entropy"), join("mutual_information"), join("samples", dim=1)
    )


@torch.no_grad()
def predict(
    model: nn.Module,
    x: Tensor | Iterable[Tensor],
    samples: int = 50,
    *,
    output: Output = "values",
    rows: int = 4096,
    one_mask: bool = False,
    seed: int | None = None,
    keep_samples: bool = False,
) -> Prediction:
    """Predict with many masks and say how sure the network is.

    All samples of a row go through the model in one batch, as long as ``rows`` allows; larger work is cut into parts.
    Dropout acts and everything else is in inference mode (see `sampling`).

    Args:
        model: takes a batch (N, …) and gives (N, …).
        x: a batch, or batches one after another.
        samples: how many masks.
        output: what the model gives: ``"values"``, ``"logits"`` over classes in the last dimension,
            ``"binary_logits"``, or ``"probabilities"`` over classes.
        rows: the most rows in one pass of the model: what bounds the memory.
        one_mask: one mask for the whole stream of inputs in each sample (see `consistent`), instead of one a row.
        seed: makes the masks reproducible and leaves torch's generator as it was; by default the generator decides.
        keep_samples: also return every sample.

    Raises:
        InputError: an argument is not as described.

    Papers: Gal & Ghahramani, Dropout as a Bayesian Approximation, ICML 2016; Houlsby et al., Bayesian Active Learning,
    2011 (mutual information).

    >>> model = nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.5), nn.Linear(16, 3))
    >>> found = predict(model, torch.ones(2, 4), samples=20, output="logits", seed=0)
    >>> found.mean.shape, found.entropy.shape
    (torch.Size([2, 3]), torch.Size([2]))
    """
    check_instance("model", model, nn.Module, "a torch.nn.Module")
    check_count("samples", samples)
    check_count("rows", rows)
    check_choice("output", output, _OUTPUTS)
    batches = [x] if isinstance(x, Tensor) else list(x)
    if not batches or not all(isinstance(batch, Tensor) and batch.dim() for batch in batches):
        raise InputError(
            "x must be a batch of inputs or batches one after another, got {value}", value=type(x).__name__
        )
    run = _one_mask if one_mask else _mask_each
    if seed is None:
        return run(model, batches, samples, output, rows, keep_samples)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return run(model, batches, samples, output, rows, keep_samples)


def _mask_each(
    model: nn.Module, batches: Sequence[Tensor], samples: int, output: str, rows: int, keep: bool
) -> Prediction:
    parts = []
    with sampling(model):
        for batch in batches:
            at_once = max(1, rows // samples)  # rows of the input in one pass, all their samples together
            for part in batch.split(at_once) if len(batch) else [batch]:
                gathered, left = _Gathered(output, keep), samples
                while left:
                    count = min(left, max(1, rows // max(len(part), 1)))
                    raw = model(part.unsqueeze(0).expand(count, *part.shape).flatten(0, 1))
                    gathered.add(raw.view(count, len(part), *raw.shape[1:]))
                    left -= count
                parts.append(gathered.result())
    return _joined(parts)


def _one_mask(
    model: nn.Module, batches: Sequence[Tensor], samples: int, output: str, rows: int, keep: bool
) -> Prediction:
    parts = [part for batch in batches for part in (batch.split(rows) if len(batch) else [batch])]
    gathered = [_Gathered(output, keep) for _ in parts]
    seed = int(torch.randint(2**63 - 1, ()))
    for sample in range(samples):
        with consistent(model, MaskKey(seed).fold_in(sample)):
            for each, part in zip(gathered, parts, strict=True):
                each.add(model(part).unsqueeze(0))
    return _joined([each.result() for each in gathered])


class Ensemble(nn.Module):
    """Several networks as one, for instance with different rates: their mean, and all their outputs to look at.

    Args:
        members: the networks; each takes the same input and gives the same shape.
        output: what they give, as in `predict`; probabilities are averaged, and given.

    >>> pair = Ensemble([nn.Linear(2, 3), nn.Linear(2, 3)], output="logits")
    >>> float(pair(torch.ones(1, 2)).detach().sum().round(decimals=4))
    1.0
    """

    def __init__(self, members: Iterable[nn.Module], output: Output = "values") -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        check_count("len(members)", len(self.members))
        check_choice("output", output, _OUTPUTS)
        self.output = output

    def forward(self, input: Tensor) -> Tensor:
        """The mean of the members' values or probabilities."""
        return torch.stack([_converted(member(input), self.output) for member in self.members]).mean(0)

    @torch.no_grad()
    def predict(self, input: Tensor, *, keep_samples: bool = False) -> Prediction:
        """Mean, variance, entropy and mutual information over the members, each in inference mode."""
        modes = {module: module.training for module in self.modules()}
        gathered = _Gathered(self.output, keep_samples)
        try:
            for member in self.eval().members:
                gathered.add(cast(Callable[[Tensor], Tensor], member)(input).unsqueeze(0))
        finally:
            for module, mode in modes.items():
                module.training = mode
        return gathered.result()
