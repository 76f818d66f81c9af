"""A chain of linear layers, ReLU and dropout whose members are trained and measured by compiled code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from sukima.engines.stacked import gemm, steps
from sukima.engines.stacked.network import ChainNetwork
from sukima.engines.stacked.nodes import Linear, Node, Relu, Reshaped, Units
from sukima.engines.stacked.storage import empty_rows
from sukima.engines.torch.data import ArrayBatches
from sukima.engines.torch.run import Run
from sukima.engines.torch.vector import Update
from sukima.masks import law
from sukima.masks.compiled import worker
from sukima.masks.jobs import constants
from sukima.torch.modes import evaluating

__all__ = ["CompiledSteps", "compiled_steps"]

Program = npt.NDArray[np.int64]


def compiled_steps(runs: Sequence[Run], network: ChainNetwork) -> CompiledSteps | None:
    """The members' steps in compiled code; ``None`` where the layers have to be called one by one: they, the loss or
    the data are of other kinds, or the products on this machine would not have the bits of the layers'."""
    task, data, validation = runs[0].task, runs[0].train, runs[0].validation
    assert isinstance(data, ArrayBatches)
    assert isinstance(validation, ArrayBatches)
    layers = [node for node in network.nodes if not isinstance(node, Reshaped)]
    linear = [node for node in layers if isinstance(node, Linear)]
    if not gemm.routine() or not all(type(node) in (Linear, Relu, Units) for node in layers):
        return None
    if (
        not linear
        or layers[-1] is not linear[-1]
        or not all(isinstance(n, Units) for n in layers[: layers.index(linear[0])])
    ):
        return None
    widths = [data.inputs[0].numel(), *(node.fan_out for node in linear)]
    kind = _loss_of(task.loss, widths[-1], data.targets)
    if kind is None or not all(_is_plain(tensor) for tensor in (data.inputs, validation.inputs, linear[0].weight)):
        return None
    if [node.fan_in for node in linear] != widths[:-1] or _shape_of_outputs(runs[0].model, data) != (1, widths[-1]):
        return None
    rows = {stop - start for start, stop in data.spans()}
    rows |= {len(part) for batches in (data, validation) for part, _ in batches.in_order()}
    threads = torch.get_num_threads()
    shapes = {(node.fan_in, node.fan_out, node.bias is not None, threads) for node in linear}
    if not all(_agrees(count, *shape) for count in rows for shape in shapes):
        return None
    return CompiledSteps(network, data, layers, kind)


def _shape_of_outputs(model: nn.Module, data: ArrayBatches) -> tuple[int, ...]:
    """Of one row."""
    with evaluating(model), torch.no_grad():
        return tuple(model(data.inputs[:1]).shape)


def _is_plain(tensor: Tensor) -> bool:
    return tensor.dtype is torch.float32 and tensor.device.type == "cpu" and tensor[0].is_contiguous()


def _loss_of(loss: object, width: int, targets: Tensor) -> int | None:
    """Its kind, where targets have the form that the kernels take."""
    if loss == "cross_entropy" and targets.ndim == 1 and not targets.is_floating_point() and width > 1:
        return steps.CROSS_ENTROPY
    return steps.SQUARES if loss == "mse" and targets.numel() == width * len(targets) else None


@cache
def _agrees(rows: int, fan_in: int, fan_out: int, has_bias: bool, _threads: int) -> bool:
    """Whether a linear layer of this size and its gradients have the same bits here as by torch."""
    source = torch.Generator().manual_seed(rows + fan_in + fan_out)
    x, weight = (
        torch.randn(n, fan_in, generator=source, dtype=torch.float32, requires_grad=True) for n in (rows, fan_out)
    )
    bias = torch.randn(fan_out, generator=source, dtype=torch.float32, requires_grad=True) if has_bias else None
    of_y = torch.randn(rows, fan_out, generator=source, dtype=torch.float32)
    with torch.enable_grad():
        y = functional.linear(x, weight, bias)
        y.backward(of_y)
    mine = [torch.empty_like(each) for each in (y, weight, x)]
    program = np.zeros((1, steps.COLUMNS), np.int64)
    row = program[0]
    row[steps.KIND], row[steps.FAN_IN], row[steps.FAN_OUT] = steps.LINEAR, fan_in, fan_out
    row[steps.INPUTS], row[steps.WEIGHT], row[steps.OF_OUTPUTS] = x.data_ptr(), weight.data_ptr(), of_y.data_ptr()
    row[steps.OUTPUTS], row[steps.OF_WEIGHT], row[steps.OF_INPUTS] = (each.data_ptr() for each in mine)
    theirs = [y, weight.grad, x.grad]
    if bias is not None:
        mine.append(torch.empty_like(bias))
        theirs.append(bias.grad)
        row[steps.BIAS], row[steps.OF_BIAS] = bias.data_ptr(), mine[-1].data_ptr()
    steps.forward_kernel()(gemm.routine(), program, rows)
    steps.gradients_kernel()(gemm.routine(), program, rows)
    return all(a is not None and torch.equal(a, b) for a, b in zip(theirs, mine, strict=True))


_INTERRUPTIBLE = 1_000_000_000
"""Multiplications of a forward pass, about, between two looks at whether Ctrl-C was pressed."""


class CompiledSteps:
    """Trains and measures the members of a chain, one after another; each has the bits that it has alone."""

    def __init__(self, network: ChainNetwork, data: ArrayBatches, layers: Sequence[Node], kind: int) -> None:
        self._masks, self._layers, self._kind = network.masks, layers, kind
        self._inputs = data.inputs.contiguous()
        self._spans = np.array(data.spans(), np.int64)
        self._classes, self._values = np.zeros(0, np.int64), np.zeros(0, np.float32)
        if kind == steps.CROSS_ENTROPY:
            self._classes = data.targets.long().contiguous().numpy()
        else:
            self._values = data.targets.reshape(-1).float().numpy()
        self._rows = int(np.diff(self._spans).max())
        weights = sum(layer.fan_in * layer.fan_out for layer in layers if isinstance(layer, Linear))
        self._at_once = max(1, _INTERRUPTIBLE // (weights * self._rows))
        self._buffers: list[Tensor] = []
        self._program = self._lay_out()
        self._rooms: dict[int, Tensor] = {}

    def _lay_out(self) -> Program:
        """The program of a training step, but for where a member's parameters are."""
        program = np.zeros((len(self._layers), steps.COLUMNS), np.int64)
        width = next(layer.fan_in for layer in self._layers if isinstance(layer, Linear))
        place, gradient = self._buffer(width), 0
        for row, layer in zip(program, self._layers, strict=True):
            row[steps.FAN_IN], row[steps.INPUTS], row[steps.OF_INPUTS] = width, place, gradient
            if isinstance(layer, Linear):
                row[steps.KIND], width = steps.LINEAR, layer.fan_out
                place, gradient = self._buffer(width), self._buffer(width)
            elif isinstance(layer, Units):
                row[steps.KIND] = steps.MASK_AFTER_RELU if layer.after_relu else steps.MASK
                row[steps.SITE] = self._masks.sites.index(layer.site)
            else:
                row[steps.KIND] = steps.RELU
            row[steps.FAN_OUT], row[steps.OUTPUTS], row[steps.OF_OUTPUTS] = width, place, gradient
        return program

    def _buffer(self, width: int) -> int:
        self._buffers.append(torch.empty(self._rows, width))
        return self._buffers[-1].data_ptr()

    def _of(self, member: int) -> Program:
        """The program with the parameters of a member."""
        program = self._program.copy()
        for row, layer in zip(program, self._layers, strict=True):
            if isinstance(layer, Linear):
                row[steps.WEIGHT : steps.OF_BIAS + 1] = [
                    0 if part is None else part[member].data_ptr()
                    for part in (layer.weight, layer.bias, layer.of_weight, layer.of_bias)
                ]
        return program

    def train(
        self, member: int, order: Tensor, update: Update, smoothing: float, after: Callable[[], None] | None
    ) -> Tensor:
        """An epoch of one member: the loss of each step.

        Args:
            member: its place.
            order: of the rows in this epoch.
            update: what its optimizer gives, see `VectorOptimizer.update_of`.
            smoothing: of labels.
            after: what is to be done after each step, if anything is.
        """
        program, sites = self._of(member), self._masks.sites
        rates = [site.rates[member] for site in sites]
        numbers = np.array([constants(rate, None, "float32") for rate in rates], np.int64).reshape(-1, 3)
        factors = np.array([law.scale(rate) for rate in rates], np.float32)
        seeds, losses = self._masks.seeds_of(member), np.empty(len(self._spans))
        at_once = 1 if after else self._at_once
        for first in range(0, len(losses), at_once):
            part = slice(first, first + at_once)
            steps.train_kernel()(
                gemm.routine(), worker("walk", "float32"), program, self._inputs.data_ptr(), order.numpy(),
                self._spans[part], seeds[part], numbers, factors, self._kind, self._classes, self._values, smoothing,
                *update, losses[part],
            )  # fmt: skip
            if after:
                after()
        return torch.from_numpy(losses)

    def outputs(self, member: int, inputs: Tensor) -> Tensor:
        """Of one member in inference mode, for a batch of inputs."""
        layers = [row for row in self._of(member) if row[steps.KIND] in (steps.LINEAR, steps.RELU)]
        program, rows = np.array(layers), len(inputs)
        outputs = torch.empty(rows, int(program[-1, steps.FAN_OUT]))
        place, other = inputs.data_ptr(), self._room(rows)
        for number, row in enumerate(program):
            row[steps.INPUTS] = place
            if row[steps.KIND] == steps.LINEAR:
                last = number == len(program) - 1
                place, other = outputs.data_ptr() if last else other[0], other[::-1]
            row[steps.OUTPUTS] = place
        steps.forward_kernel()(gemm.routine(), program, rows)
        return outputs

    def _room(self, rows: int) -> list[int]:
        """Two buffers for what is between layers; each begins on a line, on which bits of products depend."""
        if rows not in self._rooms:
            self._rooms[rows] = empty_rows((2, rows, int(self._program[:, steps.FAN_OUT].max())), self._inputs)
        return [part.data_ptr() for part in self._rooms[rows]]
