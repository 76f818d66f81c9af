"""Dropout of single units (Srivastava et al. 2014), on the mask law."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from sukima.base.checks import check_choice, check_instance, check_rate
from sukima.base.errors import InputError
from sukima.masks.key import MaskKey
from sukima.torch.kernels import masked
from sukima.torch.keys import draw_key

__all__ = ["Dropout", "dropout"]

Form = Literal["inverted", "classic"]


class _Masked(torch.autograd.Function):
    """Linear in its input; keeps nothing for backward but the key, since the mask is computed again."""

    @staticmethod
    def forward(ctx: Any, input: Tensor, out: Tensor | None, key: MaskKey, rate: float, factor: float | None) -> Tensor:
        ctx.mask = key, rate, factor
        if out is not None:
            ctx.mark_dirty(out)
        return masked(input, out, key, rate, factor)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None, None]:
        return _run(grads[0], None, *ctx.mask), None, None, None, None


def _run(input: Tensor, out: Tensor | None, key: MaskKey, rate: float, factor: float | None) -> Tensor:
    result: Tensor = _Masked.apply(input, out, key, rate, factor)  # type: ignore[no-untyped-call]  # torch's own
    return result


def dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    key: MaskKey | None = None,
    form: Form = "inverted",
) -> Tensor:
    """Drop each element with probability ``p`` in training; do nothing at inference.

    Kept elements are multiplied by 1/(1 - p) (exactly: by the inverse of the share that is kept once ``p`` is rounded
    to a multiple of 2**-16). With ``form="classic"`` they are left as they are in training, and everything is
    multiplied by 1 - p at inference; both forms agree in expectation. Dropped elements are +0 whatever was there.
    Nothing is kept for the backward pass, which computes the mask again.

    Args:
        input: a floating-point tensor of any shape.
        p: the rate: the probability that an element is dropped, in [0, 1].
        training: whether to drop at all.
        inplace: overwrite ``input``.
        key: what decides the mask; by default one draw from torch's generator, so that ``manual_seed`` holds.
        form: ``"inverted"`` or ``"classic"``.

    Raises:
        InputError: an argument is not as described.

    Paper: Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, JMLR 2014.

    >>> from sukima.masks.key import MaskKey
    >>> dropout(torch.ones(8), 0.5, key=MaskKey(0))
    tensor([2., 0., 2., 2., 2., 2., 2., 2.])
    """
    check_instance("input", input, Tensor)
    rate = check_rate("p", p)
    check_choice("form", form, ("inverted", "classic"))
    if not input.is_floating_point():
        raise InputError("{name} must be a floating-point tensor, got {value}", name="input", value=str(input.dtype))
    if key is not None:
        check_instance("key", key, MaskKey)
    if not training:
        if form == "inverted" or rate == 0:
            return input
        return input.mul_(1 - rate) if inplace else input * (1 - rate)
    if rate == 0:
        return input
    key = draw_key(input.device) if key is None else key
    factor = 1.0 if form == "classic" else None
    return _run(input, input if inplace else None, key, rate, factor)


class Dropout(nn.Module):
    """`dropout` as a module, in place of ``torch.nn.Dropout``; the rate ``p`` may be set at any time.

    >>> Dropout(0.2)
    Dropout(p=0.2, inplace=False)
    """

    def __init__(self, p: float = 0.5, inplace: bool = False, *, form: Form = "inverted") -> None:
        super().__init__()
        self.p = p
        self.inplace = inplace
        self.form: Form = form
        check_choice("form", form, ("inverted", "classic"))

    @property
    def p(self) -> float:
        """The rate: the probability that a unit is dropped, in [0, 1]."""
        return self._p

    @p.setter
    def p(self, value: float) -> None:
        self._p = check_rate("p", value)

    def forward(self, input: Tensor) -> Tensor:
        """Drop units of ``input`` in training mode."""
        return dropout(input, self.p, self.training, self.inplace, form=self.form)

    def extra_repr(self) -> str:
        """The arguments, as torch shows them."""
        shown = f"p={self.p}, inplace={self.inplace}"
        return shown if self.form == "inverted" else f"{shown}, form={self.form!r}"
