"""Dropout of single units (Srivastava et al. 2014), on the mask law."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from sukima.base.checks import check_choice
from sukima.base.errors import InputError
from sukima.masks.key import Key
from sukima.torch.masked import check_input, check_out, put_mask, site_key
from sukima.torch.rated import RatedModule, rate_of

__all__ = ["Dropout", "Form", "dropout"]

Form = Literal["inverted", "classic"]


def dropout(
    input: Tensor,
    p: float | Tensor = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    key: Key | None = None,
    form: Form = "inverted",
    out: Tensor | None = None,
    call: int | None = None,
) -> Tensor:
    """Drop each element with probability ``p`` in training; do nothing at inference.

    Kept elements are multiplied by 1/(1 - p) (exactly: by the inverse of the share that is kept once ``p`` is rounded
    to a multiple of 2**-16). With ``form="classic"`` they are left as they are in training, and everything is
    multiplied by 1 - p at inference; both forms agree in expectation. Dropped elements are +0 whatever was there.
    Nothing is kept for the backward pass, which computes the mask again.

    Args:
        input: a floating-point tensor of any shape and layout.
        p: the rate: the probability that an element is dropped, in [0, 1]. As a tensor of one element it may change
            without a recompilation; its value is then the caller's to keep in [0, 1].
        training: whether to drop at all.
        inplace: overwrite ``input``.
        key: what decides the mask; by default one draw from torch's generator, so that ``manual_seed`` holds.
        form: ``"inverted"`` or ``"classic"``.
        out: where to write the result, of the input's shape and dtype; not together with gradients.
        call: inside `keyed`, which use of this site it is, if there are several in one pass.

    Raises:
        InputError: an argument is not as described.

    Paper: Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, JMLR 2014.

    >>> from sukima.masks.key import MaskKey
    >>> dropout(torch.ones(8), 0.5, key=MaskKey(0))
    tensor([2., 0., 2., 2., 2., 2., 2., 2.])
    """
    check_input(input)
    fine = type(p) is float and 0.0 <= p <= 1.0  # the usual case, told without the cost of the check
    rate = p if fine else rate_of(p)
    check_choice("form", form, ("inverted", "classic"))
    target = _target(input, inplace, out)
    if not training or (not isinstance(rate, Tensor) and rate == 0):
        if form == "classic" and not training:
            return torch.mul(input, 1 - rate, out=target)
        return input if out is None else out.copy_(input)
    return put_mask(input, site_key(input, key, call), rate, 1.0 if form == "classic" else None, target)


def _target(input: Tensor, inplace: bool, out: Tensor | None) -> Tensor | None:
    """Where the result goes; ``None``: to a new tensor."""
    if out is not None:
        check_out(out, input)
        if torch.is_grad_enabled() and (input.requires_grad or out.requires_grad):
            raise InputError("{name} cannot be given where gradients are asked for", name="out")
        return out
    if inplace:
        check_out(input, input, "input")
        return input
    return None


class Dropout(RatedModule):
    """`dropout` as a module, in place of ``torch.nn.Dropout``; the rate ``p`` may be set at any time.

    >>> Dropout(0.2)
    Dropout(p=0.2, inplace=False)
    """

    def __init__(self, p: float = 0.5, inplace: bool = False, *, form: Form = "inverted") -> None:
        super().__init__(p)
        check_choice("form", form, ("inverted", "classic"))
        self.inplace = inplace
        self.form: Form = form

    def forward(self, input: Tensor, call: int | None = None) -> Tensor:
        """Drop units of ``input`` in training mode; ``call`` as for `dropout`."""
        return dropout(input, self.in_force, self.training, self.inplace, form=self.form, call=call)

    def extra_repr(self) -> str:
        """The arguments, as torch shows them."""
        shown = f"{super().extra_repr()}, inplace={self.inplace}"
        return shown if self.form == "inverted" else f"{shown}, form={self.form!r}"
