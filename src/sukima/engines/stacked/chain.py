"""Members that are trained as one chain of layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from sukima.engines.seeds import derive_seed
from sukima.engines.stacked.compiled import CompiledSteps, compiled_steps
from sukima.engines.stacked.heads import loss_and_gradient
from sukima.engines.stacked.mapped import MappedNetwork
from sukima.engines.stacked.network import ChainNetwork
from sukima.engines.stacked.storage import Storage
from sukima.engines.stacked.unstackable import UnstackableError
from sukima.engines.torch.data import ArrayBatches, Batches
from sukima.engines.torch.evaluate import evaluate, score
from sukima.engines.torch.metrics import Metric
from sukima.engines.torch.optimizers import rule_of, settings_of
from sukima.engines.torch.regularizing import Regularizing
from sukima.engines.torch.run import Run
from sukima.engines.torch.threads import multiplications
from sukima.engines.torch.vector import VectorOptimizer
from sukima.records.result import Score
from sukima.torch.layers import is_batch_norm, is_convolution

__all__ = ["Chain"]


class Chain:
    """Runs of one task, and their networks as one; trains and measures them.

    Raises:
        UnstackableError: their networks cannot be one.
    """

    def __init__(self, runs: Sequence[Run], data: ArrayBatches) -> None:
        self.runs, self._data, task = list(runs), data, runs[0].task
        self._storage = Storage([run.model for run in runs])
        self._network = _network(runs, self._storage, data)
        self._optimizer = VectorOptimizer(
            rule_of(task), self._storage.parameters, [settings_of(task, run.recipe) for run in runs]
        )
        self._regularizing = [Regularizing(run, own=True) for run in runs]
        self._compiled: CompiledSteps | None = None
        if isinstance(self._network, ChainNetwork) and not any(each.by_gradient for each in self._regularizing):
            self._compiled = compiled_steps(runs, self._network)
        for run in runs:
            run.model.train()

    @property
    def pays_alone(self) -> bool:
        """Whether a single run takes less time here than by itself."""
        return self._compiled is not None or (isinstance(self._network, ChainNetwork) and self._network.pools)

    def train(self, epoch: int) -> None:
        """An epoch; runs whose loss is not finite are told so."""
        spans = self._data.spans()
        self._network.masks.begin(epoch / self.runs[0].task.epochs, len(spans))
        self._optimizer.penalise(self._strengths())
        orders = [self._data.order(derive_seed(run.seed, "order", epoch)) for run in self.runs]
        if self._compiled is not None:
            self._look_at(self._one_by_one(self._compiled, orders))
        else:
            self._look_at(self._together(spans, orders))

    def _one_by_one(self, compiled: CompiledSteps, orders: Sequence[Tensor]) -> Tensor:
        """The losses (steps, members) of an epoch of each member after another."""
        losses = []
        for member, (run, order, regularizing) in enumerate(zip(self.runs, orders, self._regularizing, strict=True)):
            update = self._optimizer.update_of(member, self._storage.gradients)
            after = None
            if regularizing.after:
                after = partial(regularizing.after_step, self._optimizer.settings[member].learning_rate)
            losses.append(compiled.train(member, order, update, run.recipe.label_smoothing, after))
        return torch.stack(losses, 1)

    def _together(self, spans: Sequence[tuple[int, int]], orders: Sequence[Tensor]) -> Tensor:
        """The losses (steps, members) of an epoch of all members at once."""
        losses = []
        with torch.no_grad():
            before = torch.get_rng_state()
            for step, (start, stop) in enumerate(spans):
                losses.append(self._step(step, torch.stack([order[start:stop] for order in orders])))
            if not torch.equal(before, torch.get_rng_state()):
                raise UnstackableError("a layer draws random numbers of its own")
        return torch.stack(losses)

    def _step(self, step: int, chosen: Tensor) -> Tensor:
        data = self._data
        self._network.masks.step(step)
        inputs = data.inputs[chosen.flatten()].unflatten(0, chosen.shape)  # which keeps their order in memory
        outputs = self._network.forward(inputs)
        losses, gradient = loss_and_gradient(self.runs, outputs, data.targets[chosen])
        self._network.backward(gradient)
        for index, regularizing in enumerate(self._regularizing):
            if regularizing.by_gradient:
                regularizing.add_gradients([gradient[index] for gradient in self._storage.gradients])
        self._optimizer.step(self._storage.gradients)
        for regularizing, settings in zip(self._regularizing, self._optimizer.settings, strict=True):
            regularizing.after_step(settings.learning_rate)
        return losses

    def _strengths(self) -> list[list[tuple[float, float]]]:
        """Of each parameter and member: L1 and L2."""
        each = [regularizing.strengths() for regularizing in self._regularizing]
        return [[found.get(name, (0.0, 0.0)) for found in each] for name in self._storage.names]

    def _look_at(self, losses: Tensor) -> None:
        """Losses (steps, members)."""
        for run, values in zip(self.runs, losses.T.tolist(), strict=True):
            wrong = next((value for value in values if not math.isfinite(value)), None)
            if wrong is not None:
                run.diverged(wrong)

    def measure(self, member: int, data: Batches, metric: Metric | None) -> Score:
        """One member in inference mode."""
        run = self.runs[member]
        if self._compiled is None:
            return evaluate(run.model, data, run.plain_loss, metric)
        return score(partial(self._compiled.outputs, member), data, run.plain_loss, metric)

    def select(self, kept: Sequence[int]) -> None:
        """Go on with these only."""
        self.runs = [self.runs[index] for index in kept]
        self._regularizing = [self._regularizing[index] for index in kept]
        if kept:
            self._storage.select(kept)
            self._network.select(kept)
            self._optimizer.select(kept, self._storage.parameters)


_SMALL, _FEW = 3_000_000, 8
"""On a CPU vmap's own cost, some milliseconds a step, is won back by small models only (multiplications a step, about)
and by no fewer members: elsewhere it was measured at 0.5 to 0.9 times the speed of one after another."""


def _network(runs: Sequence[Run], storage: Storage, data: ArrayBatches) -> ChainNetwork | MappedNetwork:
    model, device = runs[0].model, storage.parameters[0].device
    if _is_chain(model, device):
        return ChainNetwork(runs, storage)
    if device.type == "cpu":
        _check_worth(runs)
    return MappedNetwork(runs, storage, data.inputs[: min(2, runs[0].task.batch_size)])


def _check_worth(runs: Sequence[Run]) -> None:
    """Refuse what is faster one after another on a CPU."""
    model, name = runs[0].model, type(runs[0].model).__name__
    if any(isinstance(module, nn.RNNBase) for module in model.modules()):  # 0.2 to 0.8 times the speed
        raise UnstackableError(f"{name} is recurrent, and faster one after another")
    if len(runs) < _FEW:
        raise UnstackableError(f"{name} has a forward of its own, and there are few candidates")
    if multiplications(model, runs[0].example) * runs[0].task.batch_size > _SMALL:
        raise UnstackableError(f"{name} has a forward of its own, and large layers")


def _is_chain(model: nn.Module, device: torch.device) -> bool:
    """Whether its layers are best called in their order; off the CPU convolutions and norms are faster mapped."""
    apart = any(is_convolution(module) or is_batch_norm(module) for module in model.modules())
    return type(model) is nn.Sequential and (device.type == "cpu" or not apart)
