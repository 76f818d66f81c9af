"""Dropout where the model has none: hooks that act on a layer's output or input, and can be taken away again.

A hook leaves the module tree, and so the names in the state dict, as they were.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from sukima.base.checks import check_rate
from sukima.base.errors import InputError
from sukima.records.site import Kind
from sukima.torch.channel import dropout1d, dropout2d, dropout3d
from sukima.torch.dropout import dropout
from sukima.torch.keyed import at_site
from sukima.torch.sites import INPUT

__all__ = ["InsertedDropout"]

_CHANNELWISE = {3: dropout1d, 4: dropout2d, 5: dropout3d}


class InsertedDropout:
    """Dropout on the output (or input) of ``host``, active while ``host`` is in training mode.

    With kind ``channel`` whole channels are dropped where the tensor has the form (batch, channel, …), and units where
    it was flattened.
    """

    def __init__(self, host: nn.Module, *, site: str, on_input: bool, kind: Kind) -> None:
        self._rate = torch.zeros((), dtype=torch.float64)
        self.sampling = False  # act whatever the host's mode
        self._site, self.kind = site, kind
        self._handle: RemovableHandle = (
            host.register_forward_pre_hook(self.on_input) if on_input else host.register_forward_hook(self.on_output)
        )

    @property
    def p(self) -> float:
        """The rate; it is held as a tensor, so that setting it recompiles nothing."""
        return float(self._rate)

    @p.setter
    def p(self, value: float) -> None:
        self._rate.fill_(check_rate("p", value))

    def remove(self) -> None:
        """Take the hook away."""
        self._handle.remove()

    def on_output(self, host: nn.Module, _args: tuple[Any, ...], output: Any) -> Tensor:
        """Forward hook."""
        with at_site(host, ""):
            return self._drop(output, host.training or self.sampling)

    def on_input(self, host: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Forward pre-hook; acts on the first argument."""
        if not args:
            raise InputError("site {site}: dropout needs the layer's input as its first argument", site=self._site)
        with at_site(host, INPUT):
            return (self._drop(args[0], host.training or self.sampling), *args[1:])

    def _drop(self, value: Any, training: bool) -> Tensor:
        if not isinstance(value, Tensor):
            raise InputError(
                "site {site}: dropout needs a tensor there, got {kind}", site=self._site, kind=type(value).__name__
            )
        rate = self._rate.to(value.device) if torch.compiler.is_compiling() else self.p
        if self.kind == "channel" and value.ndim in _CHANNELWISE:
            return _CHANNELWISE[value.ndim](value, rate, training)
        return dropout(value, rate, training)
