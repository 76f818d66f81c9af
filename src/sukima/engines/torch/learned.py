"""Rates learned by gradient, with the weights, in one run: concrete dropout at every site (Gal et al. 2017)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean

import torch
from torch import nn

from sukima.base.errors import InputError
from sukima.engines.learning import LENGTH_SCALE, SPEED
from sukima.engines.seeds import derive_seed
from sukima.engines.torch.optimizers import make_optimizer
from sukima.engines.torch.run import Run
from sukima.engines.torch.seeding import generators_restored, seed_everything
from sukima.engines.torch.threads import suitable_threads
from sukima.records.recipe import Recipe
from sukima.records.task import Task, size_of
from sukima.torch.concrete import ConcreteDropout, concrete_penalty
from sukima.torch.sites import INPUT
from sukima.torch.trace import Step, trace

__all__ = ["learn_rates"]

_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


def learn_rates(
    task: Task,
    groups: Sequence[Sequence[str]],
    start: float,
    seed: int,
    *,
    after_epoch: Callable[[], None] = lambda: None,
) -> list[float]:
    """Train a new model with concrete dropout at these sites.

    Args:
        task: the task; it is trained for all of its epochs.
        groups: the sites; those of one group share a rate, the mean of what each would have.
        start: every rate at the beginning.
        seed: of weights, order of data and masks.
        after_epoch: called after each epoch.

    Returns:
        The rate of each group at the end.

    Raises:
        InputError: a site does not feed a linear layer or a convolution.
    """
    with generators_restored():
        run = Run(task, Recipe(rates=dict.fromkeys((site for group in groups for site in group), 0.0)), seed)
        run.applied.remove()
        steps = trace(run.model, run.example)
        rows = size_of(run.data.train_rows) or 1
        learned = [[_wrapped(run.model, steps, site, start, rows) for site in group] for group in groups]
        _silence(run.model, [site for group in groups for site in group])
        logits = [layer.logit for group in learned for layer in group]
        rated = {id(logit) for logit in logits}
        weights = [p for p in run.model.parameters() if p.requires_grad and id(p) not in rated]
        optimizers = make_optimizer(task, run.recipe, weights), torch.optim.Adam(logits, SPEED)
        seed_everything(derive_seed(seed, "masks"))
        run.model.train()
        with suitable_threads(run.model, run.example, task.batch_size):
            for epoch in range(task.epochs):
                for inputs, targets in run.train.shuffled(derive_seed(seed, "order", epoch)):
                    loss = run.training_loss(inputs, targets) + concrete_penalty(run.model)
                    if not math.isfinite(float(loss.detach())):
                        raise InputError("the loss became {value} while rates were learned", value=float(loss.detach()))
                    for optimizer in optimizers:
                        optimizer.zero_grad()
                    loss.backward()
                    for optimizer in optimizers:
                        optimizer.step()
                after_epoch()
        return [fmean(rate for layer in group for rate in layer.rates()) for group in learned]


def _wrapped(model: nn.Module, steps: Sequence[Step], site: str, start: float, rows: int) -> ConcreteDropout:
    """Put concrete dropout before the layer that the site feeds; there it acts on what the site gives."""
    name = site.removesuffix(INPUT) if site.endswith(INPUT) else _next_layer(steps, site)
    layer = model.get_submodule(name) if name else None
    if isinstance(layer, ConcreteDropout):
        layer = layer.layer
    if not isinstance(layer, _LAYERS):
        raise InputError(
            "site {site}: rates are learned before a linear layer or a convolution, got {layer}",
            site=site,
            layer=type(layer).__name__ if layer is not None else "-",
        )
    wrapped = ConcreteDropout(layer, start, weight_regularizer=LENGTH_SCALE**2 / rows, dropout_regularizer=1 / rows).to(
        layer.weight.device
    )
    parent, _, own = name.rpartition(".")
    setattr(model.get_submodule(parent), own, wrapped)
    return wrapped


def _next_layer(steps: Sequence[Step], site: str) -> str:
    at = next((index for index, step in enumerate(steps) if step.name == site), len(steps))
    return next((step.name for step in steps[at + 1 :] if isinstance(step.module, _LAYERS)), "")


def _silence(model: nn.Module, sites: Sequence[str]) -> None:
    """Dropout that stands at the sites does nothing: what replaces it comes one layer later."""
    modules = dict(model.named_modules())
    for site in sites:
        if site in modules and hasattr(modules[site], "p"):
            modules[site].p = 0.0
