"""By how much: the next recipe for a verdict, in small steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from sukima.diagnosis.known import Known
from sukima.records.guideline import guideline_range
from sukima.records.recipe import Recipe

__all__ = ["less", "more", "steps_between"]

HIGHEST = 0.6
"""Above it hidden units starve; the usual advice stops there (0.5, under strong overfitting 0.6)."""
DECAY = 1e-2
STEP = 0.1


def more(known: Known, *, strongly: bool, patience: int | None, confident_errors: bool) -> Recipe:
    """A recipe that regularizes more: rates a step up, and early stopping where training went on past the onset.

    A rate begins at the lower end of what is usual at its place, then goes up by 0.1, under strong overfitting by 0.2.
    Weight decay joins where no rate can rise; label smoothing where the model grew sure of its errors.
    """
    recipe = known.recipe or Recipe()
    highest = {site.name: min(HIGHEST, guideline_range(site).high + STEP) for site in known.sites}
    lowest = {site.name: guideline_range(site).low for site in known.sites}
    step = 2 * STEP if strongly else STEP

    def raised(name: str, rate: float) -> float:
        begin = max(lowest.get(name, STEP), step)
        return max(rate, min(highest.get(name, HIGHEST), rate + step if rate else begin))

    rates = _changed(known.rates(), raised)
    full = all(rate == known.rates()[name] for name, rate in rates.items())
    return msgspec.structs.replace(
        recipe,
        rates=rates,
        weight_decay=2 * (recipe.weight_decay or DECAY / 2) if full else recipe.weight_decay,
        early_stopping=recipe.early_stopping if patience is None else patience,
        label_smoothing=max(recipe.label_smoothing, 0.1) if confident_errors else recipe.label_smoothing,
    )


def less(known: Known) -> Recipe:
    """A recipe that regularizes less: rates 0.2 down, no penalties or decay, a width in the options doubled."""
    recipe = known.recipe or Recipe()
    options = dict(recipe.options)
    for name in ("width", "hidden", "units"):
        value = options.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            options[name] = 2 * value
    return msgspec.structs.replace(
        recipe,
        rates=_changed(known.rates(), lambda _, rate: max(0.0, rate - 2 * STEP)),
        penalties={},
        schedules={},
        weight_decay=0.0 if recipe.weight_decay else None,
        label_smoothing=0.0,
        early_stopping=None,
        options=options,
    )


def steps_between(before: Mapping[str, float], after: Mapping[str, float]) -> list[tuple[str, float, float]]:
    """Site, rate before and rate after, for every rate that changed."""
    return [(name, before[name], rate) for name, rate in after.items() if rate != before.get(name, rate)]


def _changed(rates: Mapping[str, float], change: Callable[[str, float], float]) -> dict[str, float]:
    return {name: round(change(name, rate), 3) for name, rate in rates.items()}
