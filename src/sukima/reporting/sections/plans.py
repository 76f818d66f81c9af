"""What each arm of a comparison does, in a few words."""

from __future__ import annotations

from sukima.base.messages import Message, say
from sukima.records.constraint import MaxNorm
from sukima.records.penalty import L1, L2, ElasticNet, Penalty
from sukima.records.result import Arm, Comparison
from sukima.reporting.blocks import Column, Row, Table
from sukima.reporting.numbers import rate_text
from sukima.reporting.sections.arms import arm_name, role
from sukima.reporting.sections.words import listed
from sukima.reporting.text import Text

__all__ = ["beyond_recipe", "plans_table", "recipe_in_words"]


def plans_table(comparison: Comparison, winner: Arm | None) -> Table:
    """One row an arm: what its recipe sets, and how its network or its data differ."""
    rows = [Row((arm_name(arm.name), recipe_in_words(arm)), role(arm, comparison, winner)) for arm in comparison.arms]
    columns = (Column(say("arm"), number=False), Column(say("what it does"), number=False, wide=True))
    return Table(columns, tuple(rows))


def beyond_recipe(arm: Arm) -> tuple[Text, ...]:
    """What an arm does that is no part of its recipe."""
    changed: tuple[Text, ...] = (_change(arm.change),) if arm.change else ()
    if arm.members > 1:
        return (*changed, say("mean of {count} networks with other initial weights", count=arm.members))
    return changed


def recipe_in_words(arm: Arm) -> Text:
    """What an arm does, in a few words."""
    recipe = arm.recipe
    parts: list[Text] = []
    if rates := {site: rate for site, rate in recipe.rates.items() if rate}:
        parts.append(
            say("dropout {rates}", rates=", ".join(f"{site}: {rate_text(rate)}" for site, rate in rates.items()))
        )
    parts += [_penalty(penalty) for penalty in recipe.penalties.values()]
    parts += [
        say("weights of a unit with norm {limit} at most", limit=f"{one.limit:g}")
        if isinstance(one, MaxNorm)
        else type(one).__name__
        for one in recipe.constraints.values()
    ]
    if recipe.weight_decay:
        parts.append(say("weight decay {value}", value=f"{recipe.weight_decay:g}"))
    if recipe.label_smoothing:
        parts.append(say("label smoothing {value}", value=f"{recipe.label_smoothing:g}"))
    if recipe.input_noise:
        parts.append(say("noise {value} on the inputs", value=f"{recipe.input_noise:g}"))
    if recipe.mixup:
        parts.append(say("mixup {value}", value=f"{recipe.mixup:g}"))
    if recipe.input_noise:
        parts.append(say("noise of deviation {value} on the inputs", value=f"{recipe.input_noise:g}"))
    if recipe.mixup:
        parts.append(say("mixup {value}", value=f"{recipe.mixup:g}"))
    if recipe.early_stopping:
        parts.append(say("stops after {count} epochs without a better validation loss", count=recipe.early_stopping))
    parts += [f"{name} = {value}" for name, value in recipe.options.items()]
    parts += beyond_recipe(arm)
    return listed(parts) if parts else say("nothing")


def _penalty(penalty: Penalty) -> Text:
    if isinstance(penalty, L1 | L2):
        return f"{type(penalty).__name__} {penalty.strength:g}"
    if isinstance(penalty, ElasticNet):
        return f"L1 {penalty.l1:g} + L2 {penalty.l2:g}"
    return type(penalty).__name__


def _change(change: str) -> Message | str:
    known: dict[str, Message] = {
        "batch_norm": say("batch normalisation before each activation"),
        "smaller": say("half as many hidden units"),
        "augmentation": say("images moved at random in training"),
        "more_data": say("twice as many training rows"),
    }
    return known.get(change, change)
