"""Masks at inference: dropout in training mode, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from sukima.base.checks import check_instance
from sukima.masks.key import MaskKey
from sukima.torch.channel import dropout1d, dropout2d, dropout3d
from sukima.torch.dropout import dropout
from sukima.torch.insertion import InsertedDropout
from sukima.torch.layers import dropout_kind, has_dropout, rate_attribute

__all__ = ["consistent", "sampling"]

# Their fused form for inference leaves dropout out; apart from dropout they hold nothing that training mode changes.
_FUSED = (nn.TransformerEncoder, nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)


def _inserted(module: nn.Module) -> Iterator[InsertedDropout]:
    for hook in (*module._forward_hooks.values(), *module._forward_pre_hooks.values()):
        owner = getattr(hook, "__self__", None)
        if isinstance(owner, InsertedDropout):
            yield owner


@contextmanager
def sampling(model: nn.Module) -> Iterator[nn.Module]:
    """Inside, dropout in ``model`` acts and everything else is in inference mode; afterwards all is as it was.

    Batch normalisation uses its running statistics and does not update them. Dropout is found in torch's modules
    (attention, recurrent and transformer layers included), in ours, and where `apply` has inserted it; a call of
    ``F.dropout`` in a forward of one's own follows ``self.training`` of its module and stays off.

    Paper: Gal & Ghahramani, Dropout as a Bayesian Approximation, ICML 2016.

    >>> import torch
    >>> model = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(0.5)).eval()
    >>> with sampling(model):
    ...     model[0].training, model[1].training
    (False, True)
    >>> model[1].training
    False
    """
    check_instance("model", model, nn.Module, "a torch.nn.Module")
    modes = {module: module.training for module in model.modules()}
    inserted = [each for module in modes for each in _inserted(module)]
    before = [each.sampling for each in inserted]
    try:
        for module in modes:
            module.training = has_dropout(module) or isinstance(module, _FUSED)
        for each in inserted:
            each.sampling = True
        yield model
    finally:
        for module, mode in modes.items():
            module.training = mode
        for each, was in zip(inserted, before, strict=True):
            each.sampling = was


@contextmanager
def consistent(model: nn.Module, key: MaskKey) -> Iterator[nn.Module]:
    """As `sampling`, with one mask a site for a whole stream of inputs: one network drawn, and kept, until the end.

    Every row of every batch sees the same units (or channels) dropped, decided by ``key`` and the site's name; a site
    that runs several times in one pass has one mask. It acts in modules that drop units or channels, torch's and ours;
    other dropout is off.

    Paper: Kirsch et al., BatchBALD, NeurIPS 2019, where masks are shared in this way.

    >>> import torch
    >>> model = nn.Sequential(nn.Dropout(0.5))
    >>> with consistent(model, MaskKey(1)):
    ...     y = model(torch.ones(2, 8))
    >>> bool((y[0] == y[1]).all())
    True
    """
    check_instance("model", model, nn.Module, "a torch.nn.Module")
    check_instance("key", key, MaskKey)
    modes = {module: module.training for module in model.modules()}
    handles = []
    try:
        for name, module in model.named_modules():
            module.training = False
            kind = dropout_kind(module)
            if kind in ("unit", "channel") and not list(module.children()):
                hook = _drawn_once(key.fold_in(name), kind)
                handles.append(module.register_forward_hook(hook))
        yield model
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            module.training = mode


def _drawn_once(key: MaskKey, kind: str) -> Any:
    channelwise = {3: dropout1d, 4: dropout2d, 5: dropout3d}

    def hook(module: nn.Module, args: tuple[Tensor, ...], _output: Tensor) -> Tensor:
        (input,) = args
        rate = float(getattr(module, rate_attribute(module)))
        one = input.new_ones((1, *input.shape[1:]))
        if kind == "channel" and input.dim() in channelwise:
            return input * channelwise[input.dim()](one, rate, key=key)
        return input * dropout(one, rate, key=key)

    return hook
