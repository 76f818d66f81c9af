"""One optimizer for many networks at once, each with its own learning rate, weight decay, penalties and clipping norm.

torch's optimizers take one of each for all networks of a stack, and treat the last few elements of a tensor by other
instructions than the rest, so that a network's bits depend on what lies beside it. Here they do not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sukima.engines.torch import updates

__all__ = ["Rule", "Settings", "Update", "VectorOptimizer"]


@dataclass(frozen=True)
class Rule:
    """How a step is computed.

    Attributes:
        name: ``sgd``, ``momentum`` (Nesterov's), ``adam`` (with decoupled decay) or ``rmsprop``.
        learning_rate: unless a task says otherwise.
        constants: what the rule has besides: momentum and 1 for Nesterov's form; β₁, β₂, ε; α, ε.
        memories: how many tensors it remembers for each parameter.
        decay: weight decay unless a recipe says otherwise.
    """

    name: str
    learning_rate: float
    constants: tuple[float, ...] = ()
    memories: int = 1
    decay: float = 0.0


@dataclass(frozen=True)
class Settings:
    """What a network has for itself; ``clip_norm`` bounds the norm of its whole gradient."""

    learning_rate: float
    decay: float = 0.0
    clip_norm: float | None = None


Update = tuple[int, npt.NDArray[np.int64], npt.NDArray[Any], npt.NDArray[np.float64]]
"""Rule, addresses, numbers and constants, see `updates`."""

Strengths = tuple[float, float]
"""Of an L1 and an L2 penalty: so many times the sum of absolute and of squared weights is a part of the loss."""


class VectorOptimizer:
    """Takes steps for tensors (networks, …): the first axis counts networks.

    On a CPU one compiled call does it for all; elsewhere, and for numbers of other types, torch's own operations.
    """

    def __init__(self, rule: Rule, parameters: Sequence[Tensor], settings: Sequence[Settings]) -> None:
        self.rule, self.settings = rule, list(settings)
        self._parameters = list(parameters)
        self._compiled = _compiles(self._parameters)
        self._memories = [[torch.zeros_like(p, memory_format=torch.contiguous_format) for p in parameters]
                          for _ in range(rule.memories)]  # fmt: skip
        self._steps = [0] * len(self._parameters)
        none = [(0.0, 0.0)] * len(self.settings)
        self._strengths: list[Sequence[Strengths]] = [none] * len(self._parameters)
        self._table: _Table | None = None

    def penalise(self, strengths: Sequence[Sequence[Strengths]]) -> None:
        """Add the gradients of penalties from now on: for each parameter, those of each network."""
        self._kept_steps()
        self._strengths = list(strengths)

    def move(self, parameters: Sequence[Tensor]) -> None:
        """The parameters lie elsewhere now."""
        self._kept_steps()
        self._parameters = list(parameters)
        self._compiled = _compiles(self._parameters)

    def select(self, kept: Sequence[int], parameters: Sequence[Tensor]) -> None:
        """Go on with these networks only, whose parameters are these now."""
        self._kept_steps()
        self.settings = [self.settings[index] for index in kept]
        self._parameters = list(parameters)
        self._memories = [[memory[list(kept)] for memory in memories] for memories in self._memories]
        self._strengths = [[each[index] for index in kept] for each in self._strengths]

    def _kept_steps(self) -> None:
        """Forget the table, but not what it counted."""
        if self._table is not None:
            self._steps, self._table = self._table.steps(), None

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor | None]) -> None:
        """Change the parameters by their gradients; one without a gradient stays as it is."""
        if self._compiled:
            self._pointed(gradients).step()
        else:
            self._step_elsewhere(gradients)

    def update_of(self, network: int, gradients: Sequence[Tensor]) -> Update:
        """What `updates.take` needs to take steps of one network; for compiled code, where the tensors allow it."""
        return self._pointed(gradients).of(network)

    def _pointed(self, gradients: Sequence[Tensor | None]) -> _Table:
        if self._table is None:
            self._table = _Table(
                self.rule, self._parameters, self._memories, self._steps, self.settings, self._strengths
            )
        self._table.point(gradients)
        return self._table

    def _step_elsewhere(self, gradients: Sequence[Tensor | None]) -> None:
        penalised = [
            None if g is None else _penalised(g, p, each)
            for g, p, each in zip(gradients, self._parameters, self._strengths, strict=True)
        ]
        _clip(penalised, [one.clip_norm for one in self.settings])
        for index, (p, g) in enumerate(zip(self._parameters, penalised, strict=True)):
            if g is not None:
                self._steps[index] += 1
                rate = _across([one.learning_rate for one in self.settings], p)
                decay = _across([one.decay for one in self.settings], p)
                memories = [memory[index] for memory in self._memories]
                _STEPS[self.rule.name](p, g, memories, rate, decay, self._steps[index], self.rule.constants)


def _compiles(parameters: Sequence[Tensor]) -> bool:
    first = parameters[0]
    return first.dtype in (torch.float32, torch.float64) and all(
        p.device.type == "cpu" and p.dtype is first.dtype and p[:1].is_contiguous() for p in parameters
    )


class _Table:
    """Where everything lies, for the compiled step: a row for each parameter of each network in turn."""

    def __init__(
        self,
        rule: Rule,
        parameters: Sequence[Tensor],
        memories: Sequence[Sequence[Tensor]],
        steps: Sequence[int],
        settings: Sequence[Settings],
        strengths: Sequence[Sequence[Strengths]],
    ) -> None:
        self._networks = len(settings)
        self._parameters, self._memories = parameters, memories  # alive as long as their addresses
        self._addresses = np.zeros((self._networks, len(parameters), len(updates.ADDRESSES)), np.int64)
        columns = dict(zip(updates.ADDRESSES, np.moveaxis(self._addresses, 2, 0), strict=True))
        columns["parameter"][:] = self._places(parameters)
        for name, tensors in zip(("first", "second"), memories, strict=False):
            columns[name][:] = self._places(tensors)
        columns["size"][:] = [p[0].numel() for p in parameters]
        columns["network"][:] = np.arange(self._networks)[:, None]
        columns["steps"][:] = steps
        self._gradients, self._counted = columns["gradient"], columns["steps"]
        self._single = parameters[0].dtype is torch.float32
        own = [[one.learning_rate, one.decay, 0.0, 0.0, one.clip_norm or 0.0] for one in settings]
        self._numbers = np.repeat(np.array(own)[:, None], len(parameters), 1)
        self._numbers[:, :, 2:4] = np.swapaxes(np.array(strengths) * [1, 2], 0, 1)  # the derivative of a square
        self._numbers = self._numbers.astype(np.float32 if self._single else np.float64)
        self._rule, self._constants = updates.RULES.index(rule.name), np.array(rule.constants, np.float64)
        self._pointers: list[int] = []
        self._kept: list[Tensor | None] = []

    def _places(self, tensors: Sequence[Tensor | None]) -> npt.NDArray[np.int64]:
        """The address of each network's part of each tensor; 0 where there is none."""
        first = np.array([0 if each is None else each.data_ptr() for each in tensors])
        apart = np.array([0 if each is None else each.stride(0) * each.element_size() for each in tensors])
        return first + apart * np.arange(self._networks)[:, None]

    def point(self, gradients: Sequence[Tensor | None]) -> None:
        """Take the gradients from here."""
        plain = [g if g is None or g.is_contiguous() else _in_rows(g) for g in gradients]
        pointers = [0 if g is None else g.data_ptr() for g in plain]
        if pointers != self._pointers:
            self._gradients[:] = self._places(plain)
            self._pointers = pointers
        self._kept = plain

    def step(self) -> None:
        rows = self._addresses.reshape(-1, len(updates.ADDRESSES)), self._numbers.reshape(-1, len(updates.NUMBERS))
        updates.step_kernel(self._single)(self._rule, *rows, self._constants)

    def of(self, network: int) -> Update:
        """What is known of one network; steps that are counted here are counted there."""
        return self._rule, self._addresses[network], self._numbers[network], self._constants

    def steps(self) -> list[int]:
        """How many steps each parameter has taken."""
        return [int(counted) for counted in self._counted[0]]


def _in_rows(gradient: Tensor) -> Tensor:
    """A gradient of which each network's part lies together in memory."""
    if gradient.layout is not torch.strided:
        return gradient.to_dense().contiguous()
    return gradient if gradient[:1].is_contiguous() else gradient.contiguous()


def _across(values: Sequence[float], like: Tensor) -> Tensor:
    """One number for each network, to be broadcast over its part."""
    made = torch.tensor(values, dtype=like.dtype, device=like.device)
    return made.view(-1, *[1] * (like.dim() - 1))


def _penalised(gradient: Tensor, weight: Tensor, strengths: Sequence[Strengths]) -> Tensor:
    if gradient.layout is not torch.strided:
        gradient = gradient.to_dense()
    if not any(l1 or l2 for l1, l2 in strengths):
        return gradient.clone()
    l1, l2 = (_across(values, weight) for values in zip(*strengths, strict=True))
    return gradient + l1 * weight.sign() + 2 * l2 * weight


def _clip(gradients: Sequence[Tensor | None], limits: Sequence[float | None]) -> None:
    """Scale each network's gradients, in place, so that their norm together is at most its limit."""
    found = [g for g in gradients if g is not None]
    if all(limit is None for limit in limits) or not found:
        return
    norm = torch.stack([g.double().reshape(len(g), -1).square().sum(1) for g in found]).sum(0).sqrt()
    most = torch.tensor([math.inf if limit is None else limit for limit in limits], device=norm.device)
    scale = torch.where(norm > most, most / norm, 1.0)
    for g in found:
        g.mul_(scale.to(g.dtype).view(-1, *[1] * (g.dim() - 1)))


def _adam(
    p: Tensor, g: Tensor, memories: Sequence[Tensor], rate: Tensor, decay: Tensor, steps: int, c: Sequence[float]
) -> None:
    first, second = memories
    first.lerp_(g, 1 - c[0])
    second.mul_(c[1]).add_(g * g * (1 - c[1]))
    p.mul_(1 - rate * decay)
    p.sub_(rate / (1 - c[0] ** steps) * first / (second.sqrt() / math.sqrt(1 - c[1] ** steps) + c[2]))


def _sgd(
    p: Tensor, g: Tensor, _memories: Sequence[Tensor], rate: Tensor, decay: Tensor, _steps: int, _c: Sequence[float]
) -> None:
    p.sub_(rate * (g + decay * p))


def _momentum(
    p: Tensor, g: Tensor, memories: Sequence[Tensor], rate: Tensor, decay: Tensor, _steps: int, c: Sequence[float]
) -> None:
    g = g + decay * p
    memories[0].mul_(c[0]).add_(g)
    p.sub_(rate * (g + c[0] * memories[0] if c[1] else memories[0]))


def _rmsprop(
    p: Tensor, g: Tensor, memories: Sequence[Tensor], rate: Tensor, decay: Tensor, _steps: int, c: Sequence[float]
) -> None:
    g = g + decay * p
    memories[0].mul_(c[0]).add_(g * g * (1 - c[0]))
    p.sub_(rate * g / (memories[0].sqrt() + c[1]))


_STEPS: dict[str, Callable[..., None]] = {
    "sgd": _sgd, "momentum": _momentum, "adam": _adam, "rmsprop": _rmsprop,
}  # fmt: skip
