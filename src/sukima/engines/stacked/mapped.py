"""Networks with a ``forward`` of their own as one: their parameters stacked, and torch.func's vmap over the members."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from sukima.engines.stacked.masks import Masks
from sukima.engines.stacked.storage import Storage
from sukima.engines.stacked.unstackable import UnstackableError
from sukima.engines.torch.run import Run
from sukima.records.site import Kind
from sukima.torch.channel import Dropout1d, Dropout2d, Dropout3d
from sukima.torch.dropout import Dropout
from sukima.torch.keys import of_kind
from sukima.torch.layers import has_dropout
from sukima.torch.masked import put_mask
from sukima.torch.multihead import MultiheadAttention
from sukima.torch.rated import RatedModule
from sukima.torch.recurrent import GRU, LSTM, by_law, own_rates
from sukima.torch.sites import INPUT
from sukima.torch.structured import masked_over

__all__ = ["MappedNetwork"]

_CHANNELWISE = (Dropout1d, Dropout2d, Dropout3d)


class MappedNetwork:
    """Any network that vmap can take apart; a member's results are its own within rounding.

    Dropout takes each member's key and rate in the order in which the network calls for them.

    Raises:
        UnstackableError: dropout of a kind that a stack does not know, random numbers of its own, hooks, or something
            that vmap has no rule for.
    """

    def __init__(self, runs: Sequence[Run], storage: Storage, example: Tensor) -> None:
        self.masks = Masks(runs)
        self._storage, self._models = storage, [run.model for run in runs]
        self._calls: list[tuple[str, bool]] | None = []
        self._given: list[tuple[Tensor, Tensor]] = []
        inserted = {site: each for run in runs for site, each in run.applied.inserted().items()}
        for run in runs:
            for each in run.applied.inserted().values():
                each.remove()
        _check(runs)
        self._skeleton = copy.deepcopy(runs[0].model).train()
        _replace(self._skeleton, self)
        for site, each in inserted.items():
            self._insert(site, _Site(site, self, "channel" if each.kind == "channel" else "unit", inserted=True))
        self._stack_buffers([_buffers(model) for model in self._models])
        self._learn(example)

    def _insert(self, name: str, site: _Site) -> None:
        if name.endswith(INPUT):
            host = self._skeleton.get_submodule(name.removesuffix(INPUT))
            host.register_forward_pre_hook(lambda _host, args: (site(args[0]), *args[1:]))
        else:
            self._skeleton.get_submodule(name).register_forward_hook(lambda _host, _args, output: site(output))

    def _learn(self, example: Tensor) -> None:
        """The order of dropout, and whether vmap can do it at all."""
        buffers = {name: value.clone() for name, value in self._buffers.items()}
        before = torch.get_rng_state()
        with torch.no_grad():
            mine = {name: value[0].clone() for name, value in {**self._parameters(), **buffers}.items()}
            functional_call(self._skeleton, mine, (example,))
        if not torch.equal(before, torch.get_rng_state()):
            raise UnstackableError("the model draws random numbers of its own")
        assert self._calls is not None
        for name, inserted in self._calls:
            self.masks.site(name, inserted=inserted)
        self._calls = None
        self.masks.begin(0.0, 0)
        try:
            self.forward(example.expand(len(self._models), *example.shape))
        except Exception as error:  # whatever has no rule says so in its own way
            raise UnstackableError(f"{type(error).__name__}: {str(error).splitlines()[0]}") from error
        for name, value in buffers.items():
            self._buffers[name].copy_(value)

    def _stack_buffers(self, each: Sequence[dict[str, Tensor]]) -> None:
        """One tensor for all members, of which their own become views."""
        self._buffers = {name: torch.stack([buffers[name] for buffers in each]) for name in each[0]}
        for name, stacked in self._buffers.items():
            path, _, own = name.rpartition(".")
            for model, value in zip(self._models, stacked, strict=True):
                model.get_submodule(path)._buffers[own] = value

    def _parameters(self) -> dict[str, Tensor]:
        return dict(zip(self._storage.names, self._storage.parameters, strict=True))

    def site_called(self, site: _Site, x: Tensor) -> Tensor:
        """Dropout somewhere in the network, with the next key and rate; while learning, noted."""
        if self._calls is not None:
            self._calls.append((site.name, site.inserted))
            return x
        key, rate = self._given.pop(0)
        if site.kind == "channel" and x.dim() > 2:
            return masked_over(x, (*x.shape[:2], *[1] * (x.dim() - 2)), of_kind(key, "channel"), rate)
        return put_mask(x, of_kind(key, "attention") if site.kind == "attention" else key, rate)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs of every member (members, batch, …) for inputs of the same form, in training mode."""
        keys, rates = self.masks.tensors()
        self._leaves = {name: value.detach().requires_grad_() for name, value in self._parameters().items()}

        def call(parameters: Any, buffers: Any, keys: Tensor, rates: Tensor, x: Tensor) -> Any:
            self._given = list(zip(keys.unbind(0), rates.unbind(0), strict=True))
            return functional_call(self._skeleton, (parameters, buffers), (x,))

        with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
            self._outputs = vmap(call)(self._leaves, self._buffers, keys.to(x.device), rates.to(x.device), x)
        if not isinstance(self._outputs, Tensor):
            raise UnstackableError("the model gives something other than a tensor")
        return self._outputs.detach()

    def backward(self, gradient: Tensor) -> None:
        """From the gradient of the outputs to those of the parameters, in the storage."""
        leaves = list(self._leaves.values())
        found = torch.autograd.grad(self._outputs, leaves, gradient, materialize_grads=True)
        for target, each in zip(self._storage.gradients, found, strict=True):
            target.copy_(each)
        del self._outputs

    def select(self, kept: Sequence[int]) -> None:
        """Go on with these members only; the storage has been cut already."""
        self.masks.select(kept)
        self._models = [self._models[index] for index in kept]
        self._stack_buffers([_buffers(model) for model in self._models])


class _Site(nn.Module):
    """Stands where a member has dropout."""

    def __init__(self, name: str, network: MappedNetwork, kind: Kind, *, inserted: bool) -> None:
        super().__init__()
        self.name, self._network, self.kind, self.inserted = name, network, kind, inserted

    def forward(self, x: Tensor) -> Tensor:
        return self._network.site_called(self, x) if self.training else x


def _check(runs: Sequence[Run]) -> None:
    for name, module in runs[0].model.named_modules():
        if module._forward_hooks or module._forward_pre_hooks:
            raise UnstackableError(f"{name or type(module).__name__} has hooks")
        if not has_dropout(module) or type(module) in _CHANNELWISE:
            continue
        if type(module) is MultiheadAttention or (type(module) is Dropout and module.form == "inverted"):
            continue
        if type(module) in (LSTM, GRU) and not own_rates(module):
            continue
        of_all = [run.model.get_submodule(name) for run in runs]
        if isinstance(module, nn.MultiheadAttention | nn.RNNBase) and not any(each.dropout for each in of_all):
            continue
        raise UnstackableError(f"{name}: {type(module).__name__} has dropout of its own")


def _replace(skeleton: nn.Module, network: MappedNetwork) -> None:
    """Sites in the place of dropout modules; one that stands at several places is one site."""
    sites = {
        id(module): _Site(name, network, "channel" if type(module) in _CHANNELWISE else "unit", inserted=False)
        for name, module in skeleton.named_modules()
        if type(module) in (Dropout, *_CHANNELWISE)
    }
    for name, module in list(skeleton.named_modules()):
        # A rate of 0.5 or whatever is above 0: the site has each member's own.
        if type(module) is MultiheadAttention:
            module.dropout = 0.5
            module.__dict__["drop_weights"] = _Site(name, network, "attention", inserted=False)
        elif isinstance(module, nn.LSTM | nn.GRU | LSTM | GRU):
            by_law(module).stepwise = True  # torch's fused kernels cannot be mapped
            if module.num_layers > 1:
                module.dropout = 0.5
                module.__dict__["between"] = _Site(name, network, "unit", inserted=False)
    for parent in list(skeleton.modules()):
        for name, child in parent.named_children():
            if id(child) in sites:
                setattr(parent, name, sites[id(child)])


def _buffers(model: nn.Module) -> dict[str, Tensor]:
    """The buffers of a model by name, without rates that are held as tensors: those a stack knows from the recipes."""
    rates = {f"{name}.rate" if name else "rate" for name, m in model.named_modules() if isinstance(m, RatedModule)}
    return {name: value for name, value in model.named_buffers() if name not in rates}
