"""Reading live Keras 3 models: functional graphs, ``Sequential``, and the layers of subclassed models."""

from __future__ import annotations

from typing import Any

from sukima.auditing.source.catalogue import LAYERS
from sukima.auditing.source.layer_specs import LayerSpec
from sukima.records.model_view import Kind, ModelView, Operation

__all__ = ["read_model"]


def read_model(model: Any) -> list[ModelView]:
    """The view of a Keras model; one with neither graph nor sequence shows its layers without an order."""
    reader = _Reader()
    layers = list(getattr(model, "layers", []))
    if _is_graph(model):
        reader.graph(model, layers)
    elif type(model).__name__ == "Sequential" or any(b.__name__ == "Sequential" for b in type(model).__mro__):
        reader.chain(layers)
    else:
        for layer in layers:
            reader.layer(layer, frozenset())
    view = ModelView(reader.operations, reader.outputs, model.name, "keras", whole=bool(reader.outputs))
    view.extras["live"] = True
    return [view]


def _is_graph(model: Any) -> bool:
    return any(base.__name__ == "Functional" for base in type(model).__mro__)


class _Reader:
    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.outputs: frozenset[int] = frozenset()
        self.made: dict[tuple[int, int], int] = {}

    def layer(self, layer: Any, inputs: frozenset[int]) -> Operation:
        """Note one call of a layer."""
        spec, name = _spec(layer)
        kind: Kind = spec.kind if spec else "other"
        activation = getattr(getattr(layer, "activation", None), "__name__", "")
        if name == "Activation":
            kind = "softmax" if "softmax" in activation else "sigmoid" if activation == "sigmoid" else "activation"
        if name == "InputLayer":
            kind = "input"
        rate = getattr(layer, "rate", None)
        width = getattr(layer, "units", getattr(layer, "filters", None))
        operation = Operation(
            len(self.operations),
            kind,
            name=name,
            site=str(layer.name),
            inputs=inputs,
            rate=float(rate) if isinstance(rate, int | float) else None,
            width=width if isinstance(width, int) else None,
            rank=spec.rank if spec else None,
            squashed=name != "Activation" and activation in {"softmax", "sigmoid", "log_softmax"},
        )
        self.operations.append(operation)
        return operation

    def chain(self, layers: list[Any]) -> None:
        """A ``Sequential``: one after another, nested ones included."""
        first = Operation(len(self.operations), "input")
        self.operations.append(first)
        last = first.index
        for layer in _flat(layers):
            last = self.layer(layer, frozenset({last})).index
        self.outputs = frozenset({last})

    def graph(self, model: Any, layers: list[Any]) -> None:
        """A functional model: each call of each layer, in an order in which inputs come first."""
        todo = [(layer, at, node) for layer in layers for at, node in enumerate(layer._inbound_nodes)]
        while todo:
            later = []
            for layer, at, node in todo:
                sources = [(id(t._keras_history.operation), t._keras_history.node_index) for t in node.input_tensors]
                if any(source not in self.made for source in sources if source[0] != id(layer) or source[1] != at):
                    later.append((layer, at, node))
                    continue
                inputs = frozenset(self.made[s] for s in sources if s in self.made)
                self.made[id(layer), at] = self.layer(layer, inputs).index
            if len(later) == len(todo):
                # Calls that belong to another model which shares the layer; this one does not run them.
                break
            todo = later
        self.outputs = frozenset(
            self.made[key]
            for t in model.outputs
            if (key := (id(t._keras_history.operation), t._keras_history.node_index)) in self.made
        )


def _flat(layers: list[Any]) -> list[Any]:
    found: list[Any] = []
    for layer in layers:
        if any(base.__name__ == "Sequential" for base in type(layer).__mro__):
            found += _flat(list(layer.layers))
        else:
            found.append(layer)
    return found


def _spec(layer: Any) -> tuple[LayerSpec | None, str]:
    """The kind of a layer by the nearest of its classes that Keras knows."""
    for base in type(layer).__mro__:
        if (spec := LAYERS.get(f"keras.layers.{base.__name__}")) is not None:
            return spec, base.__name__
    return None, type(layer).__name__
