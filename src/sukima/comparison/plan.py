"""What a comparison trains: one plan an arm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from sukima.base.messages import Message
from sukima.comparison.variants import noise_for, vary
from sukima.engines.variant import UnavailableError
from sukima.records.constraint import MaxNorm
from sukima.records.guideline import guideline_recipe
from sukima.records.penalty import L1, L2, ElasticNet, Penalty
from sukima.records.recipe import ALL_SITES, Recipe
from sukima.records.site import Site
from sukima.records.task import Task

__all__ = ["ArmPlan", "default_plans", "plans_of"]

_MEMBERS = 5
"""Networks in an ensemble: most of what averaging gains is gained by then."""

_PATIENCE = 5
_PENALTIES: dict[str, Penalty] = {
    "l1": L1(strength=1e-4),
    "l2": L2(strength=1e-3),
    "elastic net": ElasticNet(l1=5e-5, l2=5e-4),
}


@dataclass(frozen=True)
class ArmPlan:
    """An arm before it is trained: a recipe on a task, with what differs from the other arms.

    Attributes:
        recipe: what regularizes.
        task: the comparison's task, or a variant of it.
        members: how many networks are trained and averaged.
        change: the variant's name; empty for the task itself.
    """

    recipe: Recipe
    task: Task
    members: int = 1
    change: str = ""


def plans_of(task: Task, recipes: Mapping[str, Recipe]) -> dict[str, ArmPlan]:
    """Recipes on the task itself."""
    return {name: ArmPlan(recipe, task) for name, recipe in recipes.items()}


def default_plans(task: Task, sites: Sequence[Site]) -> tuple[dict[str, ArmPlan], dict[str, Message]]:
    """The usual ways to regularize, none first, and the ones that the task does not allow, with the reason."""
    none = Recipe(rates={site.name: 0.0 for site in sites})
    inner = [site for site in sites if site.place != "output"]
    dropout = none.with_rates({**none.rates, **guideline_recipe(inner).rates})
    beside_norm = [msgspec.structs.replace(site, batch_norm=True) for site in inner]
    gentle = none.with_rates({**none.rates, **guideline_recipe(beside_norm).rates})
    plans: dict[str, ArmPlan] = {}
    left_out: dict[str, Message] = {}
    varied = {"": task}
    for name, recipe, members, change in _usual(none, dropout, gentle, noise_for(task)):
        try:
            if change not in varied:
                varied[change] = vary(task, change)
            plans[name] = ArmPlan(recipe, varied[change], members, change)
        except UnavailableError as reason:
            left_out[name] = reason.why
    return plans, left_out


def _usual(none: Recipe, dropout: Recipe, gentle: Recipe, noise: float) -> Iterator[tuple[str, Recipe, int, str]]:
    """Name, recipe, members and change of each default arm.

    ``gentle`` is dropout beside batch normalisation, ``noise`` augments inputs that are no images.
    """
    change = msgspec.structs.replace
    yield "none", none, 1, ""
    if any(dropout.rates.values()):
        yield "dropout", dropout, 1, ""
        yield "dropout + early stopping", change(dropout, early_stopping=_PATIENCE), 1, ""
        yield "dropout + l2", change(dropout, penalties={ALL_SITES: _PENALTIES["l2"]}), 1, ""
        yield "dropout + max-norm", change(dropout, constraints={ALL_SITES: MaxNorm(1.0)}), 1, ""
        yield "dropout + batch norm", gentle, 1, "batch_norm"
    yield "early stopping", change(none, early_stopping=_PATIENCE), 1, ""
    for name, penalty in _PENALTIES.items():
        yield name, change(none, penalties={ALL_SITES: penalty}), 1, ""
    yield "batch norm", none, 1, "batch_norm"
    yield "augmentation", change(none, input_noise=noise), 1, "" if noise else "augmentation"
    yield "smaller model", none, 1, "smaller"
    yield "twice the data", none, 1, "more_data"
    yield "ensemble", none, _MEMBERS, ""
