"""Hooks on a torch model's dropout layers. Training is not changed, and no random number is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from sukima.auditing.watching.sightings import Sightings
from sukima.base.messages import say

__all__ = ["TorchObserver"]


class TorchObserver:
    """Hooks on one model, from ``start`` to ``stop``."""

    def __init__(self, model: nn.Module, seen: Sightings) -> None:
        self.model = model
        self.seen = seen
        self._hooks: list[Any] = []
        self._learnt_in: bool | None = None  # the mode of the pass that gradients came from
        self._trained = False

    def start(self) -> None:
        """Begin to watch. What a training loop calls may be the model or, in Lightning's modules, its parts."""
        for module in (self.model, *self.model.children()):
            self._hooks.append(module.register_forward_pre_hook(self._begin, with_kwargs=True))
        self._hooks.append(self.model.register_forward_hook(self._end))
        for name, module in self.model.named_modules():
            if _is_dropout(module):
                self._hooks.append(module.register_forward_hook(self._observer(name)))
        self._hooks.append(register_optimizer_step_pre_hook(self._step))

    def stop(self) -> None:
        """Leave the model as it was."""
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()

    def rates(self) -> dict[str, float]:
        """The rate of each site, now."""
        found = ((n, _rate(m)) for n, m in self.model.named_modules() if _is_dropout(m))
        return {name: rate for name, rate in found if rate is not None}

    def _begin(self, module: nn.Module, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> None:
        if not (module.training and torch.is_grad_enabled()):
            return
        for value in (*arguments, *keywords.values()):
            # What other layers made has a gradient; class and token numbers have no scale.
            if isinstance(value, Tensor) and not value.requires_grad and _has_scale(value):
                self.seen.inputs(value.detach().flatten()[:100_000].float().cpu().numpy())

    def _end(self, model: nn.Module, _arguments: Any, result: Any) -> None:
        values = result.values() if isinstance(result, Mapping) else result
        values = values if isinstance(result, list | tuple | Mapping) else [result]
        tensor = next((t for t in values if isinstance(t, Tensor) and t.requires_grad), None)
        if tensor is not None:
            self._note_mode(tensor, model.training)

    def _note_mode(self, tensor: Tensor, training: bool) -> None:
        def note(_gradient: Tensor) -> None:
            self._learnt_in = training

        tensor.register_hook(note)

    def _step(self, optimizer: torch.optim.Optimizer, _arguments: Any, _keywords: Any) -> None:
        """A step with gradients of a pass in eval mode; gradients alone, as of the input, are no training."""
        mode, self._learnt_in = self._learnt_in, None
        if mode is None or not any(_is_dropout(m) for m in self.model.modules()) or not self._belongs(optimizer):
            return
        if mode:
            self._trained = True
        elif self._trained:
            message = say("the model is trained on in eval mode: train() was not called after validation")
            self.seen.add("SK106", message)
        else:
            self.seen.add("SK129", say("the model is trained in eval mode: train() was never called"))

    def _belongs(self, optimizer: torch.optim.Optimizer) -> bool:
        held = {id(p) for group in optimizer.param_groups for p in group["params"]}
        return any(id(p) in held for p in self.model.parameters())

    def _observer(self, name: str) -> Any:
        def observe(module: nn.Module, arguments: tuple[Any, ...], result: Any) -> None:
            given = arguments[0] if arguments else None
            rate = _rate(module)
            if isinstance(given, Tensor) and isinstance(result, Tensor) and rate and given.shape == result.shape:
                if result.requires_grad:
                    self._note_mode(result, module.training)
                self._observe(name, module, given.detach(), result.detach(), rate)

        return observe

    def _observe(self, name: str, module: nn.Module, given: Tensor, result: Tensor, rate: float) -> None:
        learning = torch.is_grad_enabled()
        if not (module.training or self.model.training):
            return
        # In place, the input is the output by now: what is zero there was dropped or was zero before.
        same = given.data_ptr() == result.data_ptr()
        gone = (result == 0) if same else (result == 0) & (given != 0)
        mask = self.seen.mask(name, gone.cpu().numpy(), rate, learning=learning)
        if learning and self.seen.is_due(name):
            self._compare_ranks(name, mask)

    def _compare_ranks(self, name: str, mask: str) -> None:
        """Ask the other workers of a data-parallel run for their mask."""
        if not torch.distributed.is_available() or not torch.distributed.is_initialized():
            return
        gathered: list[Any] = [None] * torch.distributed.get_world_size()
        torch.distributed.all_gather_object(gathered, mask)
        self.seen.on_every_rank(name, gathered)


def _has_scale(value: Tensor) -> bool:
    return value.dtype is torch.uint8 or value.is_floating_point()


def _is_dropout(module: nn.Module) -> bool:
    named = any("Dropout" in c.__name__ or "DropPath" in c.__name__ for c in type(module).__mro__)
    return named and _rate(module) is not None


def _rate(module: nn.Module) -> float | None:
    rates = (getattr(module, name, None) for name in ("p", "rate", "drop_prob"))
    return next((float(r) for r in rates if isinstance(r, int | float | Tensor)), None)
