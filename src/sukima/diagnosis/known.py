"""What is known of the run beside its curves."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sukima.base.checks import check_count, check_instance, shown
from sukima.base.errors import InputError
from sukima.records.recipe import ALL_SITES, Recipe
from sukima.records.site import Site

__all__ = ["Known", "known_of"]


@dataclass(frozen=True)
class Known:
    """What advice may go by; nothing has to be given.

    Attributes:
        recipe: what regularized the run; ``None`` if that is not known.
        sites: the model's sites with their rates.
        rows: number of training rows.
        parameters: number of weights that are trained.
        inputs: number of input features, where they are columns of a table.
    """

    recipe: Recipe | None = None
    sites: Sequence[Site] = field(default_factory=tuple)
    rows: int | None = None
    parameters: int | None = None
    inputs: int | None = None

    def rates(self) -> dict[str, float]:
        """Site → rate in force: the recipe's, else the model's; ``"*"`` at 0 where nothing is known of either."""
        found = {site.name: site.rate for site in self.sites if site.place != "output"}
        if self.recipe is not None:
            everywhere = self.recipe.rates.get(ALL_SITES)
            if everywhere is not None and found:
                found = dict.fromkeys(found, everywhere)
            found |= {name: rate for name, rate in self.recipe.rates.items() if name != ALL_SITES or not found}
        return found or {ALL_SITES: 0.0}


def known_of(
    *,
    recipe: Recipe | None = None,
    model: Any = None,
    rows: int | None = None,
    inputs: int | None = None,
) -> Known:
    """Gather it; of a model its sites and its number of weights."""
    if recipe is not None:
        check_instance("recipe", recipe, Recipe)
    for name, value in (("rows", rows), ("inputs", inputs)):
        if value is not None:
            check_count(name, value)
    if model is None:
        return Known(recipe, (), rows, None, inputs)
    found, parameters = _model(model)
    return Known(recipe, found, rows, parameters, inputs)


def _model(model: Any) -> tuple[Sequence[Site], int]:
    """Sites and number of trained weights of a Keras or PyTorch model."""
    keras = sys.modules.get("keras")
    if keras is not None and isinstance(model, keras.Model):
        from sukima.keras.sites import sites as keras_sites

        return tuple(keras_sites(model).values()), sum(math.prod(weight.shape) for weight in model.trainable_weights)
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(model, torch.nn.Module):
        raise InputError(
            "{name} must be {expected}, got {value}",
            name="model",
            expected="a torch.nn.Module or a keras.Model",
            value=shown(model),
        )
    from sukima.torch.sites import sites

    trained = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    return tuple(sites(model).values()), trained
