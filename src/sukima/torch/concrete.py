"""Concrete dropout (Gal, Hron & Kendall 2017): rates that are learned with the weights, on the mask law's words."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from sukima.base.checks import check_count, check_instance, check_number
from sukima.base.errors import InputError
from sukima.masks.key import MaskKey
from sukima.torch.decisions import kind_key
from sukima.torch.dropout import Dropout
from sukima.torch.masked import check_input
from sukima.torch.noise import uniform

__all__ = ["ConcreteDropout", "GroupedDropout", "concrete_dropout", "concrete_penalty", "fixed"]


def concrete_dropout(
    input: Tensor,
    logit: Tensor,
    temperature: float = 0.1,
    training: bool = True,
    *,
    key: MaskKey | None = None,
) -> Tensor:
    """Dropout whose rate, ``sigmoid(logit)``, has a gradient: decisions are relaxed to values between 0 and 1.

    Kept shares are divided by 1 - rate; at inference nothing happens.

    Args:
        input: a floating-point tensor.
        logit: the rate's log odds, of a shape that broadcasts to the input's.
        temperature: how soft the decisions are, above 0; towards 0 they become those of dropout.
        training: whether to drop at all.
        key: what decides; by default one draw from torch's generator.

    Raises:
        InputError: an argument is not as described.

    Paper: Gal, Hron & Kendall, Concrete Dropout, NeurIPS 2017.
    """
    check_input(input)
    check_number("temperature", temperature, above=0)
    if not training:
        return input
    noise = uniform(input.shape, kind_key(input, key, "concrete"), input)
    dropped = torch.sigmoid((logit.to(noise.dtype) + torch.logit(noise)) / temperature)
    # 1 / (1 - rate) = 1 + exp(logit), which no rounding makes infinite before the rate itself is 1.
    return (input * ((1 - dropped) * (1 + logit.exp()))).to(input.dtype)


class ConcreteDropout(nn.Module):
    """A layer with learned dropout on its input.

    Add `concrete_penalty` of the model to the loss. It is, for each of these layers, ``weight_regularizer`` times the
    sum of the layer's squared weights over 1 - rate, less ``dropout_regularizer`` times the number of inputs times the
    rate's entropy. With N training rows, length scale l and model precision t these are l**2 / (t N) and 2 / (t N), for
    a loss that is a mean over rows of squared errors (1 / N for both and a loss that is a mean of negative log
    likelihoods).

    Args:
        layer: what follows the dropout: ``nn.Linear`` or a convolution.
        p: the rate at the start, in (0, 1).
        weight_regularizer: at least 0.
        dropout_regularizer: at least 0.
        groups: how many rates are learned, for that many equal groups of the layer's inputs.
        temperature: see `concrete_dropout`.

    Raises:
        InputError: an argument is not as described.

    Paper: Gal, Hron & Kendall, Concrete Dropout, NeurIPS 2017.

    >>> layer = ConcreteDropout(nn.Linear(4, 2), p=0.2)
    >>> layer(torch.ones(3, 4)).shape, [round(rate, 2) for rate in layer.rates()]
    (torch.Size([3, 2]), [0.2])
    """

    def __init__(
        self,
        layer: nn.Module,
        p: float = 0.1,
        *,
        weight_regularizer: float = 1e-6,
        dropout_regularizer: float = 1e-5,
        groups: int = 1,
        temperature: float = 0.1,
    ) -> None:
        super().__init__()
        check_instance("layer", layer, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d))
        self.layer = layer
        p = check_number("p", p, above=0, below=1)
        self.weight_regularizer = check_number("weight_regularizer", weight_regularizer, minimum=0)
        self.dropout_regularizer = check_number("dropout_regularizer", dropout_regularizer, minimum=0)
        self.temperature = check_number("temperature", temperature, above=0)
        self.inputs, self.axis = _inputs(layer)
        if self.inputs % check_count("groups", groups):
            raise InputError(
                "groups must divide the layer's {inputs} inputs, got {value}", inputs=self.inputs, value=groups
            )
        weight = cast(Tensor, layer.weight)
        self.logit = nn.Parameter(torch.full((groups,), math.log(p / (1 - p)), device=weight.device))

    def rates(self) -> list[float]:
        """The rate of each group, as it is now."""
        return cast("list[float]", torch.sigmoid(self.logit).tolist())

    def forward(self, input: Tensor) -> Tensor:
        """Drop parts of ``input`` in training mode, and run the layer."""
        if self.training:
            shape = [1] * input.dim()
            shape[self.axis] = self.inputs
            logit = self.logit.repeat_interleave(self.inputs // len(self.logit)).view(shape)
            input = concrete_dropout(input, logit, self.temperature)
        return cast(Tensor, self.layer(input))

    def penalty(self) -> Tensor:
        """This layer's term for the loss."""
        weight = cast(Tensor, self.layer.weight)
        # A grouped convolution's inputs are not in the weight's second axis; its rates are then shared evenly.
        squares = weight.square().transpose(0, 1).flatten(1).sum(1)
        if len(squares) != self.inputs:
            squares = squares.mean().expand(self.inputs) * len(squares) / self.inputs
        by_group = squares.reshape(len(self.logit), -1).sum(1)
        odds = 1 + self.logit.exp()  # 1 / (1 - rate)
        rate = torch.sigmoid(self.logit)
        negative_entropy = rate * functional.logsigmoid(self.logit) + (1 - rate) * functional.logsigmoid(-self.logit)
        size = self.inputs / len(self.logit)
        return (
            self.weight_regularizer * (by_group * odds).sum() + self.dropout_regularizer * size * negative_entropy.sum()
        )

    def extra_repr(self) -> str:
        """The rates now."""
        return f"p={', '.join(f'{rate:.3g}' for rate in self.rates())}"


def _inputs(layer: nn.Module) -> tuple[int, int]:
    """How many inputs a layer has, and the axis of its input along which they lie."""
    if isinstance(layer, nn.Linear):
        return layer.in_features, -1
    dims = {nn.Conv1d: 1, nn.Conv2d: 2, nn.Conv3d: 3}
    spatial = next(count for cls, count in dims.items() if isinstance(layer, cls))
    return cast(int, layer.in_channels), -1 - spatial


def concrete_penalty(model: nn.Module) -> Tensor:
    """The sum of the terms of every `ConcreteDropout` in ``model``, to add to the loss; zero if there is none."""
    terms = [module.penalty() for module in model.modules() if isinstance(module, ConcreteDropout)]
    return sum(terms[1:], start=terms[0]) if terms else torch.zeros(())


class GroupedDropout(nn.Module):
    """Dropout with a rate of its own for each of equal groups along an axis: what `fixed` makes of learned groups."""

    def __init__(self, rates: list[float], axis: int = -1) -> None:
        super().__init__()
        self.parts = nn.ModuleList(Dropout(rate) for rate in rates)
        self.axis = axis

    def forward(self, input: Tensor) -> Tensor:
        """Drop units of ``input`` in training mode."""
        if not self.training:
            return input
        chunks = input.chunk(len(self.parts), self.axis)
        return torch.cat([part(chunk) for part, chunk in zip(self.parts, chunks, strict=True)], self.axis)


def fixed(model: nn.Module) -> nn.Module:
    """Put plain dropout at the rates learned, followed by the layer, in the place of each `ConcreteDropout`.

    Returns:
        ``model`` itself, changed in place (a new module if it is itself a `ConcreteDropout`).
    """
    return _replaced(model, {})


def _replaced(module: nn.Module, made: dict[int, nn.Module]) -> nn.Module:
    if isinstance(module, ConcreteDropout):
        if id(module) not in made:
            rates = module.rates()
            plain = Dropout(rates[0]) if len(rates) == 1 else GroupedDropout(rates, module.axis)
            made[id(module)] = nn.Sequential(plain, module.layer).train(module.training)
        return made[id(module)]
    for name, child in list(module._modules.items()):
        if child is not None:
            module._modules[name] = _replaced(child, made)
    return module
