"""Multi-sample dropout (Inoue 2019): several masks in one training pass, on the mask law."""

from __future__ import annotations

from torch import Tensor, nn

from sukima.base.checks import check_count
from sukima.masks.key import MaskKey
from sukima.torch.decisions import kind_key
from sukima.torch.dropout import dropout
from sukima.torch.masked import put_mask
from sukima.torch.rated import RatedModule, check_dims, is_off, rate_of

__all__ = ["MultiSampleDropout", "multi_sample_dropout"]


def multi_sample_dropout(
    input: Tensor, samples: int = 8, p: float | Tensor = 0.5, *, key: MaskKey | None = None
) -> Tensor:
    """The input under several masks: (N, …) becomes (samples, N, …), each under a mask of its own.

    Raises:
        InputError: an argument is not as described.

    Paper: Inoue, Multi-Sample Dropout for Accelerated Training and Better Generalization, 2019.
    """
    check_count("samples", samples)
    rate = rate_of(p)
    many = input.unsqueeze(0).expand(samples, *input.shape).contiguous()
    if is_off(True, rate):
        return dropout(many, 0)
    return put_mask(many, kind_key(input, key, "multi-sample"), rate)


class MultiSampleDropout(RatedModule):
    """The last layers of a network, run under several masks in training; their outputs are averaged.

    The mean of the losses of each output, as in the paper, comes from `outputs`. Everything before is computed once.

    Args:
        head: what follows the dropout; takes (N, …).
        samples: how many masks.
        p: the rate, in [0, 1].

    Paper: Inoue, Multi-Sample Dropout for Accelerated Training and Better Generalization, 2019.

    >>> import torch
    >>> MultiSampleDropout(nn.Linear(4, 2), samples=3)(torch.ones(5, 4)).shape
    torch.Size([5, 2])
    """

    def __init__(self, head: nn.Module, samples: int = 8, p: float = 0.5) -> None:
        super().__init__(p)
        self.head = head
        self.samples = check_count("samples", samples)

    def outputs(self, input: Tensor) -> Tensor:
        """The output under each mask, (samples, N, …); in inference mode one, without a mask."""
        check_dims(input, 1)
        if not self.training:
            alone: Tensor = self.head(input)
            return alone.unsqueeze(0)
        many = multi_sample_dropout(input, self.samples, self.p)
        result: Tensor = self.head(many.flatten(0, 1))
        return result.view(self.samples, len(input), *result.shape[1:])

    def forward(self, input: Tensor) -> Tensor:
        """The mean of `outputs`."""
        return self.outputs(input).mean(0)

    def extra_repr(self) -> str:
        """The arguments, as torch shows them."""
        return f"{super().extra_repr()}, samples={self.samples}"
