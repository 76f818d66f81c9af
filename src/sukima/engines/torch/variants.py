"""Other torch models for a task's variants; see `sukima.engines.variant`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from sukima.base.messages import say
from sukima.engines.torch.data import example_input
from sukima.engines.variant import UnavailableError, with_model
from sukima.records.task import Task
from sukima.torch.layers import is_activation, is_batch_norm, is_convolution
from sukima.torch.trace import Step, trace

__all__ = ["CHANGES"]


def _batch_norm(task: Task) -> Task:
    """Batch normalisation between each weight layer and the activation that follows it."""
    example = example_input(task)

    def normed(model: nn.Module) -> nn.Module:
        if any(is_batch_norm(module) for module in model.modules()):
            raise UnavailableError(say("the model has batch normalisation already"))
        steps = trace(model, example)
        places = [
            (before.name, before.module)
            for before, after in pairwise(steps)
            if before.module is not None and _takes_norm(before.module, before.ndim) and _activates(after)
        ]
        for name, layer in places:
            features = getattr(layer, "out_features", None) or layer.out_channels
            _set(model, name, nn.Sequential(layer, _NORMS[_dimensions(layer)](features)))
        if not places:
            raise UnavailableError(say("no layer with an activation after it was found"))
        return model

    return _checked(with_model(task, normed), task)


def _takes_norm(layer: nn.Module, ndim: int) -> bool:
    """Whether what it gives has its units or channels second; a norm in torch takes no others."""
    return is_convolution(layer) or (isinstance(layer, nn.Linear) and ndim == 2)


def _activates(step: Step) -> bool:
    return is_activation(step.module) if step.module is not None else not step.mixes


_NORMS: dict[int, type[nn.Module]] = {0: nn.BatchNorm1d, 1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


def _dimensions(layer: nn.Module) -> int:
    return len(layer.kernel_size) if isinstance(layer, nn.modules.conv._ConvNd) else 0


def _set(model: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, module)


def _smaller(task: Task) -> Task:
    """Half as many units (or channels) in every hidden layer."""
    return _checked(with_model(task, _halved), task)


def _halved(model: nn.Module) -> nn.Module:
    """The model with hidden layers of half the width, where its layers form a chain."""
    leaves = [(name, module) for name, module in model.named_modules() if not list(module.children())]
    weights = [name for name, module in leaves if isinstance(module, nn.Linear) or is_convolution(module)]
    old = new = 1
    for name, layer in leaves:
        if name in weights:
            first, last = name == weights[0], name == weights[-1]
            size = getattr(layer, "out_features", None) or layer.out_channels
            _set(model, name, _resized(layer, 1 if first else new / old, 1 if last else max(1, size // 2) / size))
            old, new = size, size if last else max(1, size // 2)
        elif is_batch_norm(layer) and layer.num_features == old:
            norm = type(layer)(new, layer.eps, layer.momentum, layer.affine, layer.track_running_stats)
            _set(model, name, norm)
        elif isinstance(layer, nn.LayerNorm) and layer.normalized_shape == (old,):
            _set(model, name, nn.LayerNorm(new, layer.eps, layer.elementwise_affine))
        elif sum(parameter.numel() for parameter in layer.parameters()) > 1:
            raise UnavailableError(say("it has a {layer}, whose width depends on others", layer=type(layer).__name__))
    if len(weights) < 2:
        raise UnavailableError(say("it has no hidden layer"))
    return model


def _resized(layer: Any, of_inputs: float, of_outputs: float) -> nn.Module:
    sizes = ("in_features", "out_features") if isinstance(layer, nn.Linear) else ("in_channels", "out_channels")
    inputs, outputs = (getattr(layer, name) * by for name, by in zip(sizes, (of_inputs, of_outputs), strict=True))
    if abs(inputs - round(inputs)) > 1e-6 or getattr(layer, "groups", 1) != 1:
        raise UnavailableError(say("the sizes of its layers cannot be halved"))
    bias = layer.bias is not None
    if isinstance(layer, nn.Linear):
        return nn.Linear(round(inputs), round(outputs), bias)
    return type(layer)(  # type: ignore[no-any-return]  # a convolution
        round(inputs), round(outputs), layer.kernel_size, layer.stride, layer.padding,
        dilation=layer.dilation, bias=bias, padding_mode=layer.padding_mode,
    )  # fmt: skip


def _checked(varied: Task, task: Task) -> Task:
    """``varied``, if its model takes the task's inputs and gives outputs of the same shape."""
    example = example_input(task)
    with torch.random.fork_rng(), torch.no_grad():
        expected = task.model().eval()(example)
        try:
            shape = varied.model().eval()(example).shape
        except (RuntimeError, ValueError, TypeError, AttributeError) as error:
            why = say("the changed model fails: {why}", why=(str(error).splitlines() or [""])[0])
            raise UnavailableError(why) from None
    if shape != expected.shape:
        raise UnavailableError(say("the changed model gives outputs of another shape"))
    return varied


def _augmented(task: Task) -> Task:
    """Images moved by up to a tenth of their size in training; a recipe has noise for other inputs."""
    example = example_input(task)
    if not isinstance(example, Tensor) or not example.is_floating_point() or example.ndim != 4:
        raise UnavailableError(say("the inputs are neither images nor rows of floating-point numbers"))

    def augmented(model: nn.Module) -> nn.Module:
        model.register_forward_pre_hook(_move)
        return model

    return with_model(task, augmented)


def _move(model: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
    return (_moved(args[0]), *args[1:]) if model.training else args


def _moved(images: Tensor) -> Tensor:
    """Each image moved by its own number of pixels, with its edge repeated."""
    height, width = images.shape[-2:]
    most = max(1, max(height, width) // 10)
    padded = nn.functional.pad(images, (most, most, most, most), mode="replicate")
    rows, columns = (torch.randint(2 * most + 1, (len(images), 1)) + torch.arange(size) for size in (height, width))
    which = torch.arange(len(images))[:, None, None]
    return padded[which, :, rows[:, :, None], columns[:, None, :]].movedim(-1, 1)


CHANGES: dict[str, Callable[[Task], Task]] = {
    "batch_norm": _batch_norm,
    "smaller": _smaller,
    "augmentation": _augmented,
}
"""What a variant changes, by name."""
