"""Inference mode for a while, module by module."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from torch import nn

__all__ = ["evaluating"]


@contextlib.contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """``model`` in inference mode; afterwards every module has the mode that it had."""
    modes = {module: module.training for module in model.modules()}
    if not any(modes.values()):  # it is already, and setting modes takes as long as a small layer
        yield
        return
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
