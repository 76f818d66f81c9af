"""The network of a stack, from the networks of its members."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor, nn
from torch.nn.modules import activation, flatten, padding, pooling

from sukima.engines.stacked.masks import Masks, SiteMasks
from sukima.engines.stacked.nodes import Channels, Each, Folded, Linear, Node, Relu, Reshaped, Units
from sukima.engines.stacked.pooling import Pooled, is_pooled
from sukima.engines.stacked.storage import Storage
from sukima.engines.stacked.unstackable import UnstackableError
from sukima.engines.torch.run import Run
from sukima.torch.channel import Dropout1d, Dropout2d, Dropout3d
from sukima.torch.dropout import Dropout
from sukima.torch.insertion import InsertedDropout
from sukima.torch.layers import has_dropout
from sukima.torch.sites import INPUT

__all__ = ["ChainNetwork"]


class ChainNetwork:
    """The members' layers, stacked one by one in the order in which ``nn.Sequential`` calls them.

    Attributes:
        masks: of all sites.
        nodes: the layers.

    Raises:
        UnstackableError: the model has a ``forward`` of its own or hooks, or dropout of a kind that a stack does not
            know.
    """

    def __init__(self, runs: Sequence[Run], storage: Storage) -> None:
        self.masks = Masks(runs)
        self._storage, self._channels_last = storage, runs[0].data.is_channels_last
        self.nodes: list[Node] = []
        waiting = {site: each for run in runs for site, each in run.applied.inserted().items()}
        for run in runs:
            for each in run.applied.inserted().values():
                each.remove()  # the stack drops there itself; what was inserted goes on holding the rate
        for name, layers in _leaves("", [run.model for run in runs]):
            self._insert(name + INPUT, waiting)
            self.nodes.append(self._node(name, layers))
            self._insert(name, waiting)
        if waiting:
            raise UnstackableError(f"{next(iter(waiting))} is no single layer")
        self._first = next(index for index, node in enumerate(self.nodes) if node.trained)

    def _insert(self, site: str, waiting: dict[str, InsertedDropout]) -> None:
        if (inserted := waiting.pop(site, None)) is not None:
            masks = self.masks.site(site, inserted=True)
            self.nodes.append(Channels(masks) if inserted.kind == "channel" else self._units(masks))

    def _units(self, masks: SiteMasks) -> Units:
        last = self.nodes[-1] if self.nodes else None
        return Units(masks, after_relu=isinstance(last, Relu) and last.in_place)

    def _node(self, name: str, layers: Sequence[nn.Module]) -> Node:
        first = layers[0]
        if type(first) is Dropout and first.form == "inverted":
            return self._units(self.masks.site(name, inserted=False))
        if type(first) in (Dropout1d, Dropout2d, Dropout3d):
            return Channels(self.masks.site(name, inserted=False))
        if any(has_dropout(module) for module in first.modules()):
            raise UnstackableError(f"{name}: {type(first).__name__} has dropout of its own")
        if type(first) is nn.Linear:
            return Linear(name, self._storage, first.bias is not None)
        if type(first) is nn.ReLU:
            return Relu(in_place=bool(self.nodes) and self.nodes[-1].owns)
        if self._channels_last and is_pooled(first, self._storage.parameters[0]):
            rectified = bool(self.nodes) and isinstance(self.nodes[-1], Relu)
            if rectified:
                self.nodes.pop()
            return Pooled(first, rectified=rectified)
        if type(first) in _SHAPES and _folds(first):
            return Reshaped(first)
        return Folded(first) if _folds(first) else Each(name, layers, self._storage)

    @property
    def pools(self) -> bool:
        """Whether images are pooled by compiled code."""
        return any(isinstance(node, Pooled) for node in self.nodes)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs of every member (members, batch, …) for inputs of the same form, in training mode."""
        for node in self.nodes:
            x = node.forward(x)
        return x

    def backward(self, gradient: Tensor) -> None:
        """From the gradient of the outputs to those of the parameters, in the storage."""
        g: Tensor | None = gradient
        for index in range(len(self.nodes) - 1, self._first - 1, -1):
            assert g is not None
            g = self.nodes[index].backward(g, index > self._first)

    def select(self, kept: Sequence[int]) -> None:
        """Go on with these members only; the storage has been cut already."""
        self.masks.select(kept)
        for node in self.nodes:
            node.select(kept)


def _leaves(prefix: str, modules: Sequence[nn.Module]) -> Iterator[tuple[str, Sequence[nn.Module]]]:
    """Name and layer of every member, in the order of execution."""
    first = modules[0]
    if any(module._forward_hooks or module._forward_pre_hooks for module in first.modules()):
        raise UnstackableError(f"{prefix or type(first).__name__} has hooks")
    if type(first) is not nn.Sequential:
        if not prefix:
            raise UnstackableError(f"{type(first).__name__} has a forward of its own")
        yield prefix, modules
        return
    for name in first._modules:
        below = [module.get_submodule(name) for module in modules]
        yield from _leaves(f"{prefix}.{name}" if prefix else name, below)


_SHAPES = (nn.Flatten, nn.Unflatten, nn.Identity)
_ROWWISE_FILES = {activation.__name__, pooling.__name__, padding.__name__, flatten.__name__}
# Their vectorised and their scalar form round differently, so that where a row lies in memory matters.
_UNEVEN = (nn.Sigmoid, nn.SiLU, nn.Mish, nn.ELU, nn.CELU, nn.SELU, nn.Softplus)


def _folds(layer: nn.Module) -> bool:
    """Whether it treats each row by itself, without parameters, alike wherever the row lies."""
    known = isinstance(layer, _SHAPES) or type(layer).__module__ in _ROWWISE_FILES
    if not known or isinstance(layer, _UNEVEN) or any(True for _ in layer.parameters()):
        return False
    across = layer.start_dim if isinstance(layer, nn.Flatten) else getattr(layer, "dim", 1)
    return across not in (0, "0", None)
