"""For studies of your own: a recipe from an Optuna trial, and the space as Ray Tune takes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sukima.base.checks import check_instance
from sukima.base.imports import require
from sukima.records.recipe import Recipe
from sukima.records.site import Site
from sukima.tuning.distributions import decode
from sukima.tuning.space import Space
from sukima.workflow.models import sites

if TYPE_CHECKING:
    import optuna

__all__ = ["ray_space", "recipe_from_ray", "suggest"]


def suggest(trial: optuna.trial.BaseTrial, model: Any, example: Any = None) -> Recipe:
    """The recipe that an Optuna trial proposes for ``model``.

    Args:
        trial: of any study, sampler and pruner.
        model: a model, its sites as `sukima.sites` gives them, or a `Space`.
        example: a batch of inputs, from which a model's order of execution is learnt.

    Returns:
        A recipe, to be put in force with `sukima.apply`; the trial's parameters are the space's dimensions.

    >>> import optuna
    >>> from torch import nn
    >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 2))
    >>> sorted(suggest(optuna.trial.FixedTrial({"rate 2": 0.3}), model).rates.items())
    [('2', 0.3)]
    """
    space = _space(model, example)
    point = {}
    for dimension in space.dimensions:
        if dimension.step is None:
            chosen = trial.suggest_categorical(dimension.name, dimension.values)
        else:
            low, high = float(dimension.values[0]), float(dimension.values[-1])
            chosen = trial.suggest_float(dimension.name, low, high, step=dimension.step)
        assert chosen is not None
        point[dimension.name] = decode(dimension, chosen)
    return space.recipe(point)


def ray_space(model: Any, example: Any = None) -> dict[str, Any]:
    """The space of ``model`` as Ray Tune's ``param_space``; `recipe_from_ray` reads what a trial gets.

    The arguments are those of `suggest`.
    """
    tune = require("ray.tune", "ray")
    return {dimension.name: tune.choice(list(dimension.values)) for dimension in _space(model, example).dimensions}


def recipe_from_ray(config: Mapping[str, Any], model: Any, example: Any = None) -> Recipe:
    """The recipe of a Ray Tune trial whose ``param_space`` came from `ray_space`; further entries are passed over."""
    space = _space(model, example)
    return space.recipe({name: config[name] for name in space.names if name in config})


def _space(model: Any, example: Any) -> Space:
    if isinstance(model, Space):
        return model
    if not isinstance(model, Mapping):
        return Space.of(sites(model, example))
    for site in model.values():
        check_instance("model", site, Site)
    return Space.of(model)
