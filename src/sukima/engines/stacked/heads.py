"""The losses of all members of a stack, and their gradients."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from sukima.engines.torch.cross_entropy import compiles, losses_and_gradient
from sukima.engines.torch.run import Run

__all__ = ["loss_and_gradient"]


def loss_and_gradient(runs: Sequence[Run], outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The loss of each member, and the gradient of its outputs (members, batch, …)."""
    classes = runs[0].task.loss == "cross_entropy" and outputs.ndim == 3 and not targets.is_floating_point()
    if classes and targets.ndim == 2:
        smoothing = [run.recipe.label_smoothing for run in runs]
        given = losses_and_gradient if compiles(outputs, targets) else _cross_entropy
        return given(outputs, targets.long(), smoothing)
    leaf = outputs.detach().requires_grad_()
    with torch.enable_grad():
        parts = zip(runs, leaf.unbind(0), targets.unbind(0), strict=True)
        losses = torch.stack([run.loss(output, target) for run, output, target in parts])
        (gradient,) = torch.autograd.grad(losses.sum(), leaf)
    return losses.detach(), gradient


def _cross_entropy(outputs: Tensor, targets: Tensor, smoothing: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Of classes by number, in torch's own operations."""
    rows, classes = outputs.shape[1:]
    logs = torch.log_softmax(outputs, 2)
    at = targets.unsqueeze(2)
    losses = -logs.gather(2, at).mean((1, 2))
    of_logs = torch.zeros_like(logs)
    if any(smoothing):
        share = torch.tensor(smoothing, dtype=torch.float64, device=outputs.device).view(-1, 1, 1)
        of_all = -((share / classes).to(logs.dtype) / rows)
        of_target = -((1 - share).to(logs.dtype) / rows)
        of_logs += of_all
        of_logs.scatter_(2, at, (of_target + of_all).expand(at.shape))
        losses = losses * (1 - share).flatten() - logs.mean((1, 2)) * share.flatten()
    else:
        of_logs.scatter_(2, at, -1 / rows)
    gradient: Tensor = torch.ops.aten._log_softmax_backward_data(of_logs, logs, 2, logs.dtype)
    return losses.to(logs.dtype), gradient
