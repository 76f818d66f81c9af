"""Apply a recipe to a Keras model, and take it back."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

import keras

from sukima.base.checks import check_instance, check_number
from sukima.base.errors import InputError
from sukima.keras.constraints import constraint_of
from sukima.keras.dropout import Dropout
from sukima.keras.layers import is_weight_layer, rate_attribute, weights_of
from sukima.keras.rebuild import rebuilt, twin
from sukima.keras.regularizers import Scheduled, Sum, proximal, regularizer_of
from sukima.keras.sites import is_graph, layers_in_order, sites
from sukima.keras.spatial import SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from sukima.records.penalty import Activity
from sukima.records.rates import Rates, chosen_rates, chosen_schedules, unknown_site
from sukima.records.recipe import ALL_SITES, Recipe
from sukima.records.schedule import Constant
from sukima.records.site import Site

__all__ = ["Applied", "apply"]

_CHANNELWISE = {3: SpatialDropout1D, 4: SpatialDropout2D, 5: SpatialDropout3D}


class Applied:
    """A recipe in force on a model.

    Attributes:
        model: the model in which it is in force: the one given, or, where dropout was inserted or Keras' own dropout
            replaced, a new one that shares the other's layers and weights.
        recipe: the recipe that was applied.
        rates: site → rate; set one to change it, also while a compiled model trains.
    """

    def __init__(self, model: Any, recipe: Recipe) -> None:
        self.recipe = recipe
        known = sites(model)
        layers = dict(layers_in_order(model))
        rates = chosen_rates(recipe, known, layers.__contains__)
        if wrong := (rates.keys() - known.keys()) & _at_output(model):
            raise InputError(
                "rates: dropout is never inserted at the output layer or after it, got {site}", site=repr(min(wrong))
            )
        self._schedules = chosen_schedules(recipe, rates)
        self._progress = 0.0
        self.model = self._with_dropout(model, layers, known, rates)
        self._originals = {name: float(getattr(holder, a)) for name, (holder, a) in self._holders.items()}
        self._undo: list[tuple[Any, str, Any]] = []
        self._steps: list[tuple[Any, Any, Any]] = []  # kernel, its step after the optimizer's, schedule
        self._factors: list[tuple[Scheduled, Any]] = []
        self._regularize(layers)
        self.rates = Rates(rates, self._refresh)
        self._refresh()

    def _with_dropout(self, model: Any, layers: dict[str, Any], known: dict[str, Site], rates: Iterable[str]) -> Any:
        """The model in which every rate has a layer of ours that holds it."""
        self._holders: dict[str, tuple[Any, str]] = {}
        instead, after = dict[str, Any](), dict[str, list[Any]]()
        for name in rates:
            layer = layers[name]
            if (site := known.get(name)) is not None and site.exists:
                if (ours := twin(layer)) is not None:
                    instead[name] = layer = ours
            else:
                kind = site.kind if site is not None else "unit"
                made = _CHANNELWISE.get(len(layer.output.shape), Dropout) if kind == "channel" else Dropout
                layer = made(0.0, name=f"{layer.name}_dropout")
                after[name] = [layer]
            self._holders[name] = (layer, rate_attribute(layer))
        return rebuilt(model, instead, after) if instead or after else model

    def _refresh(self) -> None:
        synced(self.model)
        for name, (holder, attribute) in self._holders.items():  # none once removed
            rate = self.rates[name] * self._schedules[name].factor(self._progress)
            before = getattr(holder, attribute)
            setattr(holder, attribute, rate)
            if attribute != "rate" and bool(before) != bool(rate):
                recompiled(self.model)  # without a mask, recurrent layers are compiled to another form
        for scheduled, schedule in self._factors:
            scheduled.set(schedule.factor(self._progress))

    def progress(self, progress: float) -> None:
        """Tell the schedules how much of training is over, from 0 to 1; call it at the start of each epoch or step."""
        self._progress = progress
        self._refresh()

    def rate_now(self, site: str) -> float:
        """The rate in force at ``site``, its schedule included."""
        if site not in self._holders:
            raise unknown_site("rates", site, self._holders)
        holder, attribute = self._holders[site]
        return float(getattr(holder, attribute))

    @property
    def has_steps(self) -> bool:
        """Whether something must follow each step of the optimizer (`step`)."""
        return bool(self._steps)

    def step(self, learning_rate: float | None = None) -> None:
        """What follows the optimizer's step: proximal and decoupled penalties.

        Args:
            learning_rate: that of the step; by default the compiled optimizer's.
        """
        if not self._steps:
            return
        synced(self.model)
        if learning_rate is None:
            learning_rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        rate = check_number("learning_rate", learning_rate, minimum=0)
        for kernel, act, schedule in self._steps:
            if factor := schedule.factor(self._progress):
                kernel.assign(act(keras.ops.convert_to_tensor(kernel), rate * factor))

    def remove(self) -> None:
        """Leave the model as it was before: old rates back, penalties and constraints gone, inserted dropout off."""
        synced(self.model)
        for name, rate in self._originals.items():
            holder, attribute = self._holders[name]
            setattr(holder, attribute, rate)
        for owner, attribute, value in reversed(self._undo):
            setattr(owner, attribute, value)
        if self._undo:
            recompiled(self.model)
        self._originals, self._holders, self._undo, self._steps, self._factors = {}, {}, [], [], []

    def _regularize(self, layers: dict[str, Any]) -> None:
        on_outputs = {n: p for n, p in self.recipe.penalties.items() if isinstance(p, Activity)}
        on_weights = {n: p for n, p in self.recipe.penalties.items() if not isinstance(p, Activity)}
        for name, penalty in on_outputs.items():
            for layer in _named("penalties", name, layers):
                self._add(layer, "activity_regularizer", penalty, regularizer_of(penalty, layer, 0), layer)
        for layer, penalty in _chosen("penalties", on_weights, layers):
            for kernel in weights_of(layer):
                if penalty.form != "loss":
                    self._steps.append((kernel, proximal(penalty, layer, penalty.form), penalty.schedule))
                else:
                    made = regularizer_of(penalty, layer, len(kernel.shape))
                    self._add(kernel, "regularizer", penalty, made, layer)
        for layer, constraint in _chosen("constraints", self.recipe.constraints, layers):
            for kernel in weights_of(layer):
                self._set(kernel, "constraint", constraint_of(constraint, layer, len(kernel.shape)))
        if self._undo:
            recompiled(self.model)

    def _add(self, owner: Any, attribute: str, penalty: Any, made: Any, layer: Any) -> None:
        if not isinstance(penalty.schedule, Constant):
            made = Scheduled(made)
            _track(layer, made.held)
            self._factors.append((made, penalty.schedule))
        own = getattr(owner, attribute)
        self._set(owner, attribute, made if own is None else Sum(own, made))

    def _set(self, owner: Any, attribute: str, value: Any) -> None:
        self._undo.append((owner, attribute, getattr(owner, attribute)))
        setattr(owner, attribute, value)


def apply(model: Any, recipe: Recipe) -> Applied:
    """Put ``recipe`` in force on ``model``.

    Where the model has our dropout, its rate is set. Where it has Keras' own, whose rate a compiled model never reads
    again, or none, a new model is made that shares all other layers: work on with the handle's ``.model``, which is
    compiled as the given one was (with a new optimizer). Penalties and constraints are attached to the layers' weights;
    compile or call ``fit`` afterwards.

    Args:
        model: a built Keras model; a sequential or functional one where dropout is inserted or replaced.
        recipe: rates, penalties, constraints and schedules by site. ``"*"`` stands for every site that `sites` finds,
            except one after the output layer; for penalties and constraints for every layer with a weight matrix.
            Weight decay, label smoothing, early stopping and options concern the training loop and are not used here.

    Returns:
        The handle: ``.model``, ``.rates`` to change them, ``.progress()`` for schedules, ``.step()`` for proximal
        penalties (`sukima.integrations.keras.SukimaCallback` calls both), ``.remove()`` to undo.

    Raises:
        InputError: a site that the model does not have; the message lists those it has.
    """
    check_instance("model", model, keras.Model, "a keras.Model")
    check_instance("recipe", recipe, Recipe)
    if not model.built:
        raise InputError("model must be built: give it an Input, or call it on a batch, before a recipe is applied")
    return Applied(model, recipe)


def synced(model: Any) -> None:
    """Bring what a training loop holds back into the variables, so that they can be set (JAX holds them itself)."""
    if keras.backend.backend() == "jax" and getattr(model, "_jax_state", None) is not None:
        model.jax_state_sync()


def recompiled(model: Any) -> None:
    """Have those of the model's functions that Keras has made traced again, also in the middle of ``fit``."""
    for name in ("train", "test", "predict"):
        if getattr(model, f"{name}_function", None) is not None:
            getattr(model, f"make_{name}_function")(force=True)


def _track(layer: Any, held: Any) -> None:
    """Make ``held`` part of the state that compiled functions are given; Keras locks layers that are built."""
    layer._tracker.unlock()
    layer._sukima_held = [*getattr(layer, "_sukima_held", []), held]
    layer._tracker.lock()


def _at_output(model: Any) -> set[str]:
    """Names of the last weight layer and of what follows it, as far as Keras knows the order."""
    if not is_graph(model):
        return set()
    steps = list(layers_in_order(model))
    last = max((i for i, (_, layer) in enumerate(steps) if is_weight_layer(layer)), default=len(steps))
    return {name for name, _ in steps[last:]}


def _named(table: str, name: str, layers: dict[str, Any]) -> list[Any]:
    found = [layer for n, layer in layers.items() if n == name or fnmatchcase(n, name)]
    if not found:
        raise unknown_site(table, name, layers)
    return found


def _chosen(table: str, rules: Any, layers: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Each layer with its rule: of its own name; else of a pattern; else of all sites."""
    weighted = {name: layer for name, layer in layers.items() if weights_of(layer)}
    found: dict[str, Any] = {}
    for name, rule in rules.items():
        if name != ALL_SITES:
            matched = [n for n in weighted if n == name or fnmatchcase(n, name)]
            if not matched:
                raise unknown_site(table, name, weighted)
            found |= {n: rule for n in matched if n == name or n not in rules}
    if ALL_SITES in rules:
        found = dict.fromkeys(weighted, rules[ALL_SITES]) | found
    return [(weighted[name], rule) for name, rule in found.items()]
