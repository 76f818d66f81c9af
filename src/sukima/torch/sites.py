"""Sites of a torch model: where dropout acts, and where it could act."""

from __future__ import annotations

from torch import Tensor, nn

from sukima.records.site import Kind, Place, Site
from sukima.torch.layers import (
    describe,
    dropout_kind,
    has_weights,
    is_activation,
    is_batch_norm,
    is_convolution,
    rate_attribute,
)
from sukima.torch.trace import Step, registered_order, trace

__all__ = ["INPUT", "at_output", "sites"]

INPUT = ".input"
"""Ending of a site's name where dropout acts on what goes into a layer rather than on what comes out."""

_SEVERAL_INPUTS = (nn.MultiheadAttention, nn.RNNBase, nn.RNNCellBase, nn.Bilinear)
"""Not all of what goes into them are activations."""


def sites(model: nn.Module, example: Tensor | None = None) -> dict[str, Site]:
    """Every place in ``model`` where dropout acts; if there is none, every place where it could be inserted.

    It acts in ``nn.Dropout`` and its kin, in ours, inside ``nn.MultiheadAttention`` (attention weights), between the
    layers of ``nn.LSTM``, ``nn.GRU`` and ``nn.RNN``, and where a module holds a rate as a number and gives it to a
    function (``self.attn_drop = 0.1``, as models of Hugging Face do): such a site is named after the attribute,
    ``encoder.0.attn_drop``, or after the module where that does nothing but drop. It could act after each hidden
    activation and on what a recurrent layer hands on, and never after the output layer. Attention and recurrent layers
    with rate 0, and numbers that are 0, do not count as dropout that the model has.

    Args:
        model: any module; it is left as it was.
        example: a batch of inputs. With it the true order of execution is known, and activations that are called as
            functions (``F.relu``) are seen too; a site there is named after the layer that it feeds, ``fc2.input``.
            Without it the order in which modules were registered is taken.

    Returns:
        Site by its name, in the order of execution.
    """
    steps = registered_order(model) if example is None else trace(model, example)
    found = _existing(steps, ordered=example is not None or isinstance(model, nn.Sequential))
    if example is not None:  # dropout that did not run on this example is there all the same
        late = _existing(registered_order(model), ordered=False)
        found |= {name: site for name, site in late.items() if name not in found}
    numbers = {step.name for step in registered_order(model) if step.held is not None}
    built_in = ("attention", "recurrent")
    absent = all(site.rate == 0 and (site.kind in built_in or name in numbers) for name, site in found.items())
    return found | _possible(steps) if absent else found


def at_output(model: nn.Module, example: Tensor | None = None) -> set[str]:
    """Names of the last weight layer and of what follows it, as far as the order of execution is known."""
    if example is None and not isinstance(model, nn.Sequential):
        return set()
    steps = registered_order(model) if example is None else trace(model, example)
    last = max((i for i, step in enumerate(steps) if _has_weight(step)), default=len(steps))
    return {step.name for step in steps[last:] if step.module is not None or step.held is not None}


def _existing(steps: list[Step], *, ordered: bool) -> dict[str, Site]:
    found: dict[str, Site] = {}
    last_weight = max((i for i, step in enumerate(steps) if _has_weight(step)), default=-1)
    for i, step in enumerate(steps):
        if (acting := _acting(step)) is None:
            continue
        kind, rate = acting
        before = _weight_before(steps, i)
        place: Place
        if kind in ("attention", "recurrent"):
            place, before = kind, None
        else:
            place = _place(before)
            if ordered and before is not None and i > last_weight:
                place = "output"
        site = _site(step.name, kind, rate, place, before, steps[:i])
        # A module that runs at several places is one site: it is judged by its first place unless that is harmless.
        if step.name not in found or place == "output":
            found[step.name] = site
    return found


def _acting(step: Step) -> tuple[Kind, float] | None:
    """What is dropped in this step and at which rate; ``None`` if nothing is."""
    if step.held is not None:
        # Stochastic depth that is off is not there: nobody who sets every rate means to drop whole layers too.
        off = step.held.rate == 0 and step.held.kind in ("layer", "path")
        return None if off else (step.held.kind, step.held.rate)
    if step.module is None or (kind := dropout_kind(step.module)) is None:
        return None
    return kind, float(getattr(step.module, rate_attribute(step.module)))


def _possible(steps: list[Step]) -> dict[str, Site]:
    """After each hidden activation: of modules by their name, of functions by the layer that they feed."""
    found: dict[str, Site] = {}
    weights = [i for i, step in enumerate(steps) if _has_weight(step)]
    if not weights:
        return found
    first, last = weights[0], weights[-1]
    late = {step.name for step in steps[last:] if step.module is not None and is_activation(step.module)}
    for i, step in enumerate(steps[first:last], first):
        if not _is_hidden(step):
            continue
        name = step.name
        if step.module is None or name in late or isinstance(step.module, nn.RNNBase):
            following = next(s for s in steps[i + 1 :] if _has_weight(s))
            if following.module is None or isinstance(following.module, _SEVERAL_INPUTS):
                continue
            name = following.name + INPUT
        before = step if isinstance(step.module, nn.RNNBase) else _weight_before(steps, i)
        kind: Kind = "channel" if _is_convolution(before) and step.ndim in (0, 3, 4, 5) else "unit"
        found.setdefault(name, _site(name, kind, 0.0, _place(before), before, steps[:i], exists=False))
    return found


def _is_hidden(step: Step) -> bool:
    """Whether what it gives is an activation: of a module, of a function, of a recurrent layer."""
    if step.module is None:
        return not step.mixes and step.held is None
    return is_activation(step.module) or isinstance(step.module, nn.RNNBase)


def _site(
    name: str, kind: Kind, rate: float, place: Place, before: Step | None, earlier: list[Step], *, exists: bool = True
) -> Site:
    normed = False
    for step in reversed(earlier):
        if step is before:
            break
        normed = normed or (step.module is not None and is_batch_norm(step.module))
    after = describe(before.module) if before is not None and before.module is not None else ""
    return Site(name=name, kind=kind, rate=rate, place=place, after=after, batch_norm=normed, exists=exists)


def _has_weight(step: Step) -> bool:
    return step.mixes or (step.module is not None and has_weights(step.module))


def _is_convolution(step: Step | None) -> bool:
    return step is not None and step.module is not None and is_convolution(step.module)


def _weight_before(steps: list[Step], index: int) -> Step | None:
    return next((step for step in reversed(steps[:index]) if _has_weight(step)), None)


def _place(before: Step | None) -> Place:
    if before is None:
        return "input"
    if _is_convolution(before):
        return "convolution"
    return "recurrent" if isinstance(before.module, nn.RNNBase | nn.RNNCellBase) else "hidden"
