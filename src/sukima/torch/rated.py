"""What every layer with a rate shares: how it is checked, set, shown, and held as a tensor where it must change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from sukima.base.checks import check_number, check_rate
from sukima.base.errors import InputError
from sukima.masks import law
from sukima.torch.structured import scale_of

__all__ = ["RatedModule", "check_dims", "is_off", "kept_share", "rate_of"]


def rate_of(p: float | Tensor, name: str = "p", *, below_one: bool = False) -> float | Tensor:
    """``p`` checked; a tensor's value is its owner's to keep in range (looking at it would wait for the device)."""
    if isinstance(p, Tensor):
        if p.numel() != 1:
            raise InputError(
                "{name} must be a number or a tensor of one element, got {value}", name=name, value=p.shape
            )
        return p
    return check_number(name, p, minimum=0, below=1) if below_one else check_rate(name, p)


def is_off(training: bool, rate: float | Tensor) -> bool:
    """Whether nothing is to be done: at inference, or at a rate that is the number 0."""
    return not training or (not isinstance(rate, Tensor) and rate == 0)


def kept_share(rate: float | Tensor) -> float | Tensor:
    """The share that the law keeps at ``rate``: 1 - rate after its rounding."""
    if not isinstance(rate, Tensor):
        return 1 - law.threshold(rate) / 2.0 ** law.bits(rate)
    scale = scale_of(rate)
    assert isinstance(scale, Tensor)
    return torch.where(scale > 0, 1 / scale, 0.0)


def check_dims(input: Tensor, least: int) -> None:
    """Raise unless ``input`` has at least this many dimensions."""
    if input.dim() < least:
        raise InputError(
            "{name} must have at least {count} dimensions, got {value}",
            name="input",
            count=least,
            value=tuple(input.shape),
        )


class RatedModule(nn.Module):
    """A module with a rate ``p`` that may be set at any time.

    With `hold_rate_as_tensor` the rate is a buffer: setting it then recompiles nothing, and it can be kept in the state
    dict. It stays in double precision whatever type the model is cast to.
    """

    below_one = False

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    @property
    def p(self) -> float | Tensor:
        """The rate, in [0, 1]: a number, or a tensor of no dimensions once it is held as one."""
        held = self._buffers.get("rate")
        return self._p if held is None else held

    @p.setter
    def p(self, value: float | Tensor) -> None:
        checked = rate_of(float(value) if isinstance(value, Tensor) else value, below_one=self.below_one)
        self._p = float(checked)
        held = self._buffers.get("rate")
        if held is not None:
            held.fill_(checked)

    @property
    def in_force(self) -> float | Tensor:
        """The rate as a forward pass takes it: the tensor only for compilers and transforms, else the faster number."""
        held = self._buffers.get("rate")
        if held is None:
            return self._p
        if torch.compiler.is_compiling() or held.device.type != "cpu" or torch._C._are_functorch_transforms_active():
            return held
        return float(held)

    def hold_rate_as_tensor(self, *, persistent: bool = False) -> None:
        """Keep the rate in a buffer named ``rate``; ``persistent``: also in the state dict."""
        self.register_buffer("rate", torch.tensor(float(self.p), dtype=torch.float64), persistent=persistent)

    def hold_rate_as_number(self) -> None:
        """Undo `hold_rate_as_tensor`."""
        if "rate" in self._buffers:
            self._p = float(self.p)
            del self.rate

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        held = self._buffers.get("rate")
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]  # torch's own
        if held is not None:
            value = self._p if held.is_meta else float(held)
            device = fn(torch.zeros((), device=held.device)).device
            kind = torch.float32 if device.type == "mps" else torch.float64
            self._buffers["rate"] = torch.tensor(value, dtype=kind, device=device)
        return self

    def extra_repr(self) -> str:
        """The arguments, as torch shows them."""
        return f"p={float(self.p):g}"
