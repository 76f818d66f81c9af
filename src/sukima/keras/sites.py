"""Sites of a Keras model: where dropout acts, and where it could act."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

from sukima.base.checks import check_instance
from sukima.keras.layers import (
    describe,
    dropout_kind,
    is_activation,
    is_batch_norm,
    is_convolution,
    is_recurrent,
    is_weight_layer,
    rate_attribute,
)
from sukima.records.site import Kind, Place, Site

__all__ = ["layers_in_order", "sites"]


def sites(model: Any) -> dict[str, Site]:
    """Every place in ``model`` where dropout acts; if there is none, every place where it could be inserted.

    It acts in Keras' dropout layers, in ours, and inside our LSTM and GRU. It could act after each hidden activation
    (after the batch normalisation that follows it), after a recurrent layer, and never after the output layer. A layer
    inside a nested model is named with the names of the models round it, ``encoder.dense``.

    Args:
        model: a Keras model. Of a subclassed one the layers are known, but not in which order they run.

    Returns:
        Site by its name, in the order of execution.
    """
    check_instance("model", model, keras.Model, "a keras.Model")
    steps = list(layers_in_order(model))
    found = _existing(steps, ordered=is_graph(model))
    built_in = all(site.kind == "recurrent" and site.rate == 0 for site in found.values())
    return found | (_possible(steps) if is_graph(model) else {}) if built_in else found


def is_graph(model: Any) -> bool:
    """Whether Keras knows how its layers follow each other."""
    return isinstance(model, keras.Sequential) or hasattr(model, "operations")


def layers_in_order(model: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Name and layer, in the order of execution as far as Keras knows it; nested models are looked into."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from layers_in_order(layer, f"{prefix}{layer.name}.")
        else:
            yield prefix + layer.name, layer


Steps = list[tuple[str, Any]]


def _existing(steps: Steps, *, ordered: bool) -> dict[str, Site]:
    last = max((i for i, (_, layer) in enumerate(steps) if is_weight_layer(layer)), default=-1)
    found = {}
    for i, (name, layer) in enumerate(steps):
        if (kind := dropout_kind(layer)) is None:
            continue
        rate = float(getattr(layer, rate_attribute(layer)))
        if kind == "recurrent":
            found[name] = Site(name=name, kind=kind, rate=rate, place="recurrent", after=describe(layer))
            continue
        place = _place(_before(steps, i))
        if ordered and place != "input" and i > last:
            place = "output"
        found[name] = _site(steps, i, kind, rate, place, exists=True)
    return found


def _possible(steps: Steps) -> dict[str, Site]:
    weights = [i for i, (_, layer) in enumerate(steps) if is_weight_layer(layer)]
    found: dict[str, Site] = {}
    if not weights:
        return found
    for i in range(weights[0], weights[-1]):
        layer = steps[i][1]
        if not (is_activation(layer) or is_recurrent(layer)):
            continue
        at = i + 1 if is_batch_norm(steps[i + 1][1]) else i
        before = _before(steps, i + 1)
        kind: Kind = "channel" if before is not None and is_convolution(before) else "unit"
        found[steps[at][0]] = _site(steps, at + 1, kind, 0.0, _place(before), exists=False, name=steps[at][0])
    return found


def _site(steps: Steps, i: int, kind: Kind, rate: float, place: Place, *, exists: bool, name: str = "") -> Site:
    before = _before(steps, i)
    since = [layer for _, layer in steps[:i]]
    normed = False
    for layer in reversed(since):
        if layer is before:
            break
        normed = normed or is_batch_norm(layer)
    after = "" if before is None else describe(before)
    return Site(
        name=name or steps[i][0], kind=kind, rate=rate, place=place, after=after, batch_norm=normed, exists=exists
    )


def _before(steps: Steps, index: int) -> Any:
    """The weight layer before a step."""
    return next((layer for _, layer in reversed(steps[:index]) if is_weight_layer(layer)), None)


def _place(before: Any) -> Place:
    if before is None:
        return "input"
    if is_convolution(before):
        return "convolution"
    return "recurrent" if is_recurrent(before) else "hidden"
