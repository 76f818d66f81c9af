"""DropConnect (Wan et al. 2013): dropout of single weights, on the mask law."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sukima.base.checks import check_choice
from sukima.masks.key import Key, MaskKey
from sukima.torch.keys import of_kind
from sukima.torch.masked import check_input, put_mask, site_key
from sukima.torch.path import Per
from sukima.torch.rated import check_dims, is_off, rate_of

__all__ = ["DropConnect", "drop_connect", "weight_dropout"]


def weight_dropout(weight: Tensor, p: float | Tensor = 0.5, training: bool = True, *, key: Key | None = None) -> Tensor:
    """Drop single weights with probability ``p`` in training; kept ones are multiplied by 1/(1 - p).

    Raises:
        InputError: an argument is not as described.
    """
    check_input(weight, "weight")
    rate = rate_of(p)
    if is_off(training, rate):
        return weight
    return put_mask(weight, of_kind(site_key(weight, key), "weight"), rate)


def drop_connect(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    p: float | Tensor = 0.5,
    training: bool = True,
    *,
    per: Per = "batch",
    key: MaskKey | None = None,
) -> Tensor:
    """``torch.nn.functional.linear`` whose weights are dropped with probability ``p`` in training.

    Args:
        input: (…, in).
        weight: (out, in).
        bias: (out,); never dropped.
        p: the rate, in [0, 1].
        training: whether to drop at all.
        per: one mask for the whole ``"batch"``, or one for each ``"sample"`` (row of the first dimension), as in the
            paper; that takes memory for a weight matrix a sample.
        key: what decides the mask; by default one draw from torch's generator.

    Raises:
        InputError: an argument is not as described.

    Paper: Wan et al., Regularization of Neural Networks using DropConnect, ICML 2013.

    >>> drop_connect(torch.ones(1, 3), torch.ones(2, 3), p=1.0)
    tensor([[0., 0.]])
    """
    check_input(input)
    check_choice("per", per, ("sample", "batch"))
    rate = rate_of(p)
    if per == "batch" or is_off(training, rate):
        return functional.linear(input, weight_dropout(weight, rate, training, key=key), bias)
    check_dims(input, 2)
    each = weight_dropout(weight.expand(input.shape[0], *weight.shape).contiguous(), rate, key=key)
    result = torch.einsum("n...i,noi->n...o", input, each)
    return result if bias is None else result + bias


class DropConnect(nn.Linear):
    """``torch.nn.Linear`` with `drop_connect`; the same arguments and state dict, and the rate ``p``."""

    def __init__(self, *args: Any, p: float = 0.5, per: Per = "batch", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.p = float(rate_of(p))
        check_choice("per", per, ("sample", "batch"))
        self.per: Per = per

    def forward(self, input: Tensor) -> Tensor:
        """Multiply by the weights, some of them dropped in training mode."""
        return drop_connect(input, self.weight, self.bias, self.p, self.training, per=self.per)

    def extra_repr(self) -> str:
        """The arguments, as torch shows them."""
        return f"{super().extra_repr()}, p={self.p:g}, per={self.per!r}"
