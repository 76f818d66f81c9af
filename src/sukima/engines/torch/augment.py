"""Augmentation that any inputs bear: noise (Bishop 1995) and mixtures of rows (mixup, Zhang et al. 2018)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from sukima.base.errors import InputError
from sukima.engines.seeds import derive_seed
from sukima.engines.torch.losses import Loss
from sukima.records.recipe import Recipe

__all__ = ["Augmentation"]


class Augmentation:
    """Draws from a generator of its own, so that masks and order of the data stay as they are without it."""

    def __init__(self, recipe: Recipe, seed: int) -> None:
        self._noise, self._mixup = recipe.input_noise, recipe.mixup
        self._rng = np.random.default_rng(derive_seed(seed, "augmentation"))

    def loss(self, model: nn.Module, inputs: Tensor, targets: Tensor, loss: Loss) -> Tensor:
        """The training loss of a batch; that of a mixture is the mixture of the losses, for labels of any kind.

        Raises:
            InputError: the inputs are not floating-point numbers.
        """
        if not isinstance(inputs, Tensor) or not inputs.is_floating_point():
            kind = inputs.dtype if isinstance(inputs, Tensor) else type(inputs).__name__
            raise InputError("input_noise and mixup need floating-point inputs, got {kind}", kind=kind)
        if self._noise:
            noise = torch.from_numpy(self._rng.standard_normal(inputs.shape, np.float32))
            inputs = inputs + self._noise * noise.to(inputs.device, inputs.dtype)
        if not self._mixup:
            return loss(model(inputs), targets)
        share = float(self._rng.beta(self._mixup, self._mixup))
        others = torch.from_numpy(self._rng.permutation(len(inputs))).to(inputs.device)
        outputs = model(share * inputs + (1 - share) * inputs[others])
        return share * loss(outputs, targets) + (1 - share) * loss(outputs, targets[others])
