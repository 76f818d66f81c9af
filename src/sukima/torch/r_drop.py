"""R-Drop (Liang et al. 2021): two masks must agree on what they predict."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from sukima.base.checks import check_number
from sukima.base.errors import InputError

__all__ = ["r_drop", "r_drop_loss"]


def r_drop_loss(first: Tensor, second: Tensor, target: Tensor, alpha: float = 1.0, **cross_entropy: object) -> Tensor:
    """Cross entropy of two passes, plus how far their distributions are apart.

    The loss is the mean of both cross entropies plus ``alpha`` / 2 times the mean over rows of both divergences' mean,
    KL(first, second) / 2 + KL(second, first) / 2: half of the paper's loss, so that its size is that of one pass.

    Args:
        first: logits (N, C) of one pass.
        second: logits of a second pass of the same rows, under another mask.
        target: class indices (N,) or probabilities (N, C).
        alpha: the weight of the divergence, at least 0; 1 to 5 in the paper.
        **cross_entropy: passed to ``torch.nn.functional.cross_entropy``.

    Raises:
        InputError: an argument is not as described.

    Paper: Liang et al., R-Drop: Regularized Dropout for Neural Networks, NeurIPS 2021.

    >>> import torch
    >>> logits = torch.zeros(2, 3)
    >>> round(float(r_drop_loss(logits, logits, torch.tensor([0, 1]))), 4)  # log 3, and no divergence
    1.0986
    """
    check_number("alpha", alpha, minimum=0)
    if first.shape != second.shape or first.dim() != 2:
        raise InputError(
            "first and second must be logits of one shape (rows, classes), got {first} and {second}",
            first=tuple(first.shape),
            second=tuple(second.shape),
        )
    a, b = first.log_softmax(-1), second.log_softmax(-1)
    apart = ((a.exp() - b.exp()) * (a - b)).sum(-1).mean() / 2  # both divergences at once
    each = [functional.cross_entropy(logits, target, **cross_entropy) for logits in (first, second)]  # type: ignore[arg-type]  # passed on
    return (each[0] + each[1]) / 2 + alpha / 2 * apart


def r_drop(model: nn.Module, x: Tensor, target: Tensor, alpha: float = 1.0, **cross_entropy: object) -> Tensor:
    """`r_drop_loss` of ``model`` on a batch, both passes in one: the batch goes through twice, side by side."""
    first, second = model(x.repeat(2, *(1 for _ in x.shape[1:]))).chunk(2)
    return r_drop_loss(first, second, target, alpha, **cross_entropy)
