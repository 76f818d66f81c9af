"""The network of a stack, from the networks of its members."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor, nn

from sukima.engines.stacked.layers import Channels, StackedLayer, Units, UnstackableError, stack_layer
from sukima.engines.stacked.members import Members
from sukima.torch.insertion import InsertedDropout
from sukima.torch.sites import INPUT

__all__ = ["StackedNetwork"]


class StackedNetwork(nn.Module):
    """The members' layers, stacked one by one in the order in which ``nn.Sequential`` calls them."""

    def __init__(self, members: Members) -> None:
        super().__init__()
        models = [run.model for run in members.runs]
        inserted = members.runs[0].applied.inserted()
        if any(run.applied.inserted().keys() != inserted.keys() for run in members.runs):
            raise UnstackableError("the recipes insert dropout at different sites")
        for run in members.runs:
            for each in run.applied.inserted().values():
                each.remove()  # the stack drops there itself; what was inserted goes on holding the rate
        self.names: list[str] = []
        self.layers = nn.ModuleList()
        waiting = dict(inserted)
        for name, layers in _leaves("", models):
            self._insert(name + INPUT, waiting, members)
            self._add(name, stack_layer(name, layers, members))
            self._insert(name, waiting, members)
        if waiting:
            raise UnstackableError(f"{next(iter(waiting))} is no single layer")
        _check_shared(models[0])

    def _insert(self, site: str, waiting: dict[str, InsertedDropout], members: Members) -> None:
        if (inserted := waiting.pop(site, None)) is not None:
            self._add("", Channels(site, members) if inserted.kind == "channel" else Units(site, members))

    def _add(self, name: str, layer: StackedLayer) -> None:
        self.names.append(name)
        self.layers.append(layer)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs of every member (members, batch, …) for inputs of the same form."""
        for layer in self.layers:
            x = layer(x)
        return x

    def select(self, kept: Sequence[int]) -> None:
        """Go on with these members only."""
        for layer in self._stacked():
            layer.select(kept)

    def member(self, index: int) -> dict[str, Tensor]:
        """The state dict of one member, under the names that its own model has; the tensors are views."""
        pairs = zip(self.names, self._stacked(), strict=True)
        return {f"{name}.{key}": value.detach() for name, layer in pairs for key, value in layer.member(index).items()}

    def weights(self, name: str) -> list[Tensor]:
        """What holds the parameter of that name for all members."""
        for layer_name, layer in zip(self.names, self._stacked(), strict=True):
            if layer_name and name.startswith(f"{layer_name}."):
                return layer.parameter_of_all(name.removeprefix(f"{layer_name}."))
        raise KeyError(name)

    def _stacked(self) -> Iterator[StackedLayer]:
        for layer in self.layers:
            assert isinstance(layer, StackedLayer)
            yield layer


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


def _check_shared(model: nn.Module) -> None:
    names = [name for name, _ in model.named_parameters(remove_duplicate=False)]
    if len(names) != len(list(model.parameters())):
        raise UnstackableError("layers share parameters")
