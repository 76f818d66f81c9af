"""Apply a recipe to a torch model, and take it back."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from sukima.base.checks import check_instance
from sukima.base.errors import InputError
from sukima.records.penalty import Penalty
from sukima.records.rates import Rates, chosen_rates, chosen_schedules
from sukima.records.recipe import Recipe
from sukima.records.site import Site
from sukima.torch.insertion import InsertedDropout
from sukima.torch.layers import rate_attribute
from sukima.torch.rated import RatedModule
from sukima.torch.regularizers import Regularizers
from sukima.torch.sites import INPUT, at_output, sites
from sukima.torch.trace import registered_order

__all__ = ["Applied", "apply"]


class Applied:
    """A recipe in force on a model.

    Attributes:
        model: the model.
        recipe: the recipe that was applied.
        rates: site → rate; set one to change it, nothing is rebuilt.
    """

    def __init__(self, model: nn.Module, recipe: Recipe, example: Tensor | None = None) -> None:
        self.model, self.recipe = model, recipe
        known = sites(model, example)
        modules = dict(model.named_modules())
        self._held = {step.name: step.held for step in registered_order(model) if step.held is not None}
        rates = chosen_rates(
            recipe, known, lambda name: name in self._held or (bool(name) and name.removesuffix(INPUT) in modules)
        )
        new = rates.keys() - known.keys()
        if wrong := new and new & at_output(model, example):  # which runs the model once more
            raise InputError(
                "rates: dropout is never inserted at the output layer or after it, got {site}", site=repr(min(wrong))
            )
        self._schedules = chosen_schedules(recipe, rates)
        self._regularizers = Regularizers(model, recipe)
        self._attached: list[RemovableHandle] = []
        self._progress = 0.0
        self._originals: dict[str, float] = {}
        self._holders: dict[str, tuple[object, str]] = {}
        self._inserted: dict[str, InsertedDropout] = {}
        self._made_tensors: list[RatedModule] = []
        for name in rates:
            self._hold(name, known.get(name))
        self.rates = Rates(rates, self._refresh)
        self._refresh()

    def _hold(self, name: str, site: Site | None) -> None:
        """Find what carries the rate of a site, or insert it."""
        modules = dict(self.model.named_modules())
        if name in self._held or (site is not None and site.exists):
            holder, attribute = self._holder(name, modules)
            if isinstance(holder, RatedModule) and "rate" not in holder._buffers:
                holder.hold_rate_as_tensor()
                self._made_tensors.append(holder)
            self._originals[name] = float(getattr(holder, attribute))
            self._holders[name] = (holder, attribute)
            return
        on_input = name not in modules
        host = modules[name.removesuffix(INPUT) if on_input else name]
        inserted = InsertedDropout(host, site=name, on_input=on_input, kind=site.kind if site else "unit")
        self._inserted[name] = inserted
        self._holders[name] = (inserted, "p")

    def _holder(self, name: str, modules: dict[str, nn.Module]) -> tuple[Any, str]:
        """What carries the rate of dropout that is there, and in which attribute."""
        if (held := self._held.get(name)) is not None:
            return held.owner, held.attribute
        return modules[name], rate_attribute(modules[name])

    def _refresh(self) -> None:
        for name, (holder, attribute) in self._holders.items():  # none once removed
            rate = self.rates[name]
            setattr(holder, attribute, rate * self._schedules[name].factor(self._progress))

    def progress(self, progress: float) -> None:
        """Tell the schedules how much of training is over, from 0 to 1; call it at the start of each epoch or step."""
        self._progress = progress
        self._refresh()

    @property
    def progressed(self) -> float:
        """How much of training is over, as `progress` was told."""
        return self._progress

    def inserted(self) -> dict[str, InsertedDropout]:
        """Site → what was inserted there."""
        return dict(self._inserted)

    def rate_now(self, site: str) -> float:
        """The rate in force at ``site``, its schedule included; the module's own where the recipe is silent."""
        holder, attribute = self._holders.get(site) or self._holder(site, dict(self.model.named_modules()))
        return float(getattr(holder, attribute))

    def penalised(self) -> list[tuple[list[str], Penalty]]:
        """The names of the parameters that each penalty concerns."""
        return self._regularizers.by_penalty(self.model)

    def penalty(self) -> Tensor:
        """The sum of the recipe's penalties, to add to the loss; zero if it has none.

        Penalties on activities are those of the forward passes, in training mode, since the last call.
        """
        return self._regularizers.loss(self._progress)

    def step(self, optimizer: Optimizer | float) -> None:
        """What follows the optimizer's step: proximal and decoupled penalties, then constraints.

        Args:
            optimizer: the optimizer, for the learning rate of each weight, or a learning rate for all.
        """
        self._regularizers.step(optimizer, self._progress)

    def attach(self, optimizer: Optimizer) -> None:
        """Call `step` after each step of ``optimizer``, until `remove`: then the training loop needs no line for it."""
        check_instance("optimizer", optimizer, Optimizer, "a torch.optim.Optimizer")
        self._attached.append(optimizer.register_step_post_hook(lambda used, _args, _kwargs: self.step(used)))

    def remove(self) -> None:
        """Leave the model as it was before: old rates back, inserted dropout gone."""
        for name, rate in self._originals.items():
            holder, attribute = self._holders[name]
            setattr(holder, attribute, rate)
        for held in self._made_tensors:
            held.hold_rate_as_number()
        for inserted in self._inserted.values():
            inserted.remove()
        for handle in self._attached:
            handle.remove()
        self._regularizers.remove()
        self._originals, self._inserted, self._attached, self._holders, self._made_tensors = {}, {}, [], {}, []


def apply(model: nn.Module, recipe: Recipe, example: Tensor | None = None) -> Applied:
    """Put ``recipe`` in force on ``model``.

    Where the model has dropout, its rate is set. Where it has none, dropout is inserted: after the named module, or
    on what goes into it where the name ends in ``.input``. Inserted dropout is active in training mode only, like any
    other. Rates of inserted dropout and of sukima's modules can then change, by a schedule say, without a compiled
    model being compiled again; those of torch's own modules cannot (see `replace`).

    Args:
        model: any module. Its parameters, and the names in its state dict, stay as they are.
        recipe: rates, penalties, constraints and schedules by site. ``"*"`` stands for every site that `sites` finds,
            except one after the output layer. Weight decay, label smoothing, early stopping and options concern the
            training loop and are not used here.
        example: a batch of inputs, from which the order of execution is learnt (see `sites`).

    Returns:
        The handle: ``.rates`` to change them, ``.penalty()`` to add to the loss, ``.progress()`` for schedules,
        ``.remove()`` to undo.

    Raises:
        InputError: a site that the model does not have; the message lists those it has.
    """
    check_instance("model", model, nn.Module, "a torch.nn.Module")
    check_instance("recipe", recipe, Recipe)
    return Applied(model, recipe, example)
