"""Gaussian dropout: multiplicative noise with dropout's first two moments, on the mask law's words."""

from __future__ import annotations

from torch import Tensor

from sukima.masks.key import MaskKey
from sukima.torch.decisions import kind_key, multiplied_by
from sukima.torch.masked import check_input
from sukima.torch.noise import normal
from sukima.torch.rated import RatedModule, is_off, rate_of

__all__ = ["GaussianDropout", "gaussian_dropout"]


def gaussian_dropout(
    input: Tensor, p: float | Tensor = 0.5, training: bool = True, *, key: MaskKey | None = None
) -> Tensor:
    """Multiply each element by noise of mean 1 and variance p/(1 - p) in training; do nothing at inference.

    These are the mean and variance of dropout at rate ``p``. The noise is not kept for the backward pass.

    Args:
        input: a floating-point tensor of any shape and layout.
        p: the rate of the dropout whose moments are matched, in [0, 1).
        training: whether to do anything at all.
        key: what decides the noise; by default one draw from torch's generator.

    Raises:
        InputError: an argument is not as described.

    Papers: Srivastava et al., Dropout, JMLR 2014, section 10; Wang & Manning, Fast Dropout Training, ICML 2013.

    >>> import torch
    >>> y = gaussian_dropout(torch.ones(10_000), 0.5, key=MaskKey(1))
    >>> round(float(y.mean()), 1), round(float(y.var()), 1)
    (1.0, 1.0)
    """
    check_input(input)
    rate = rate_of(p, below_one=True)
    if is_off(training, rate):
        return input
    deviation = (rate / (1 - rate)) ** 0.5
    drawn = kind_key(input, key, "gaussian", cuts=True)

    def make() -> Tensor:
        noise = normal(input.shape, drawn, input)
        return (noise * deviation if isinstance(deviation, Tensor) else noise.mul_(deviation)).add_(1)

    return multiplied_by(input, make)


class GaussianDropout(RatedModule):
    """`gaussian_dropout` as a module."""

    below_one = True

    def forward(self, input: Tensor) -> Tensor:
        """Multiply ``input`` by noise in training mode."""
        return gaussian_dropout(input, self.in_force, self.training)
