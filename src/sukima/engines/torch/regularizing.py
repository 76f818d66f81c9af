"""A recipe's penalties and constraints in training, alone or in a stack.

L1, L2 and elastic net are a part of the optimizer's step, which knows their gradients; other terms of the loss are
differentiated by torch.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from sukima.engines.torch.run import Run
from sukima.engines.torch.vector import Strengths
from sukima.records.penalty import L1, L2, Activity, ElasticNet

__all__ = ["Regularizing"]


class Regularizing:
    """What one run's recipe does to its weights, for an optimizer that is ``own`` or not.

    Attributes:
        in_loss: whether its terms are a part of the loss that is differentiated: they need what layers give in the
            forward pass, or the optimizer is not ours.
        by_gradient: whether their gradients are added by themselves.
        after: whether something follows each step.
    """

    def __init__(self, run: Run, own: bool) -> None:
        penalties = list(run.recipe.penalties.values())
        self._run = run
        terms = [each for each in penalties if each.form == "loss"]
        self.in_loss = bool(terms) and (not own or any(isinstance(each, Activity) for each in terms))
        self._by_strength = not self.in_loss and all(isinstance(each, L1 | L2 | ElasticNet) for each in terms)
        self.by_gradient = not self.in_loss and not self._by_strength
        self.after = bool(run.recipe.constraints) or any(each.form != "loss" for each in penalties)

    def strengths(self) -> dict[str, Strengths]:
        """Of L1 and L2, for each parameter by its name, as they are now."""
        found: dict[str, Strengths] = {}
        for names, which in self._run.applied.penalised() if self._by_strength else ():
            if which.form != "loss":
                continue
            factor = which.schedule.factor(self._run.applied.progressed)
            l1, l2 = _strengths(which)
            for name in names:
                before = found.get(name, (0.0, 0.0))
                found[name] = before[0] + l1 * factor, before[1] + l2 * factor
        return found

    def add_gradients(self, gradients: Sequence[Tensor]) -> None:
        """Add those of the penalties to the gradients of the model's parameters, in place."""
        with torch.enable_grad():
            parameters = list(self._run.model.parameters())
            found = torch.autograd.grad(self._run.applied.penalty(), parameters, allow_unused=True)
        for target, gradient in zip(gradients, found, strict=True):
            if gradient is not None:
                target += gradient

    def after_step(self, learning_rate: float) -> None:
        """What follows the optimizer's step."""
        if self.after:
            self._run.applied.step(learning_rate)


def _strengths(which: object) -> Strengths:
    match which:
        case L1(strength=strength):
            return strength, 0.0
        case L2(strength=strength):
            return 0.0, strength
        case ElasticNet(l1=l1, l2=l2):
            return l1, l2
    raise TypeError(f"{which} is not one of strengths")
