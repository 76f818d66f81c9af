"""Channels last: the order in memory in which a CPU convolves and pools images faster."""

from __future__ import annotations

from torch import nn

__all__ = ["prefers_channels_last"]


def prefers_channels_last(model: nn.Module) -> bool:
    """Whether images may be given to the model channels last, and that is faster.

    Measured on a CPU, a step of a small network took two thirds of the time; pooling alone an eighth. Only chains of
    torch's and our own layers: a ``forward`` of one's own may have a ``view`` that another order breaks.
    """
    modules = list(model.modules())
    if any(parameter.device.type != "cpu" for parameter in model.parameters()):
        return False
    if not any(isinstance(module, nn.Conv2d) for module in modules):
        return False
    return all(_is_known(module) for module in modules)


def _is_known(module: nn.Module) -> bool:
    home = type(module).__module__
    known = type(module) is nn.Sequential or (not list(module.children()) and home.startswith(("torch.nn", "sukima.")))
    return known and not module._forward_hooks and not module._forward_pre_hooks
