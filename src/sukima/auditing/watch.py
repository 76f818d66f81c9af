"""``sukima.watch``: what only shows in motion.

Hooks on a torch model's dropout layers note, pass by pass, in which mode they ran and which elements they dropped.
Nothing about the training changes, and no random number is drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from sukima.auditing.placement import shown_rate
from sukima.auditing.registry import find_rule
from sukima.base.errors import InputError
from sukima.base.messages import Message, say
from sukima.records.finding import Finding
from sukima.records.recipe import Recipe

__all__ = ["Watch", "watch"]

_ENOUGH = 32
_PASSES = 3
_rates_by_recipe: dict[str, dict[str, float]] = {}


@dataclass
class _Site:
    """What was seen at one dropout layer."""

    passes: int = 0
    dropped: bool = False
    elements: int = 0
    masks: dict[tuple[int, ...], set[str]] = field(default_factory=dict)
    seen: dict[tuple[int, ...], int] = field(default_factory=dict)


def watch(model: nn.Module, *, recipe: Recipe | None = None, sampling: bool = False, show: bool = True) -> Watch:
    """Watch a model while it is trained and evaluated: ``with sukima.watch(model) as watched: …``.

    Args:
        model: the torch module in use.
        recipe: what the run claims to use; its rates are compared with those in force, here and in earlier runs.
        sampling: dropout at inference is meant (Monte Carlo dropout), so it is not reported.
        show: print the findings at the end; they are in ``findings`` in any case.

    Returns:
        A context manager with ``start()``, ``stop()`` and ``findings``; in a callback call ``start`` before training
        and ``stop`` after it.

    Raises:
        InputError: ``model`` is not a ``torch.nn.Module``.
    """
    if not isinstance(model, nn.Module):
        raise InputError("model must be a torch.nn.Module, got {value}", value=type(model).__name__)
    return Watch(model, recipe=recipe, sampling=sampling, show=show)


class Watch:
    """The watch over one model; see `watch`."""

    def __init__(self, model: nn.Module, *, recipe: Recipe | None, sampling: bool, show: bool) -> None:
        self.model = model
        self.recipe = recipe
        self.sampling = sampling
        self.show = show
        self.findings: list[Finding] = []
        self._hooks: list[Any] = []
        self._sites: dict[str, _Site] = {}
        self._pass: dict[str, str] = {}
        self._shared: dict[tuple[str, str], int] = {}
        self._trained = False
        self._training_passes = 0

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to watch."""
        self._hooks.append(self.model.register_forward_pre_hook(self._begin, with_kwargs=True))
        self._hooks.append(self.model.register_forward_hook(self._end))
        for name, module in self.model.named_modules():
            if _is_dropout(module):
                self._sites[name] = _Site()
                self._hooks.append(module.register_forward_hook(self._observer(name)))
        self._check_rates()

    def stop(self) -> None:
        """Stop watching, and say what was seen."""
        if not self._hooks:
            return
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()
        self._check_rates()
        for name, site in self._sites.items():
            self._judge(name, site)
        for (first, second), count in self._shared.items():
            if count >= _PASSES:
                self._add(
                    "SK143", say("{first} and {second} drop the same elements", first=first, second=second), second
                )
        if self.show and self.findings:
            from rich.console import Console

            from sukima.auditing.output.terminal import print_findings

            print_findings(Console(stderr=True, highlight=False), self.findings, 0)

    # ── during a pass ───────────────────────────────────────────────────────────────────────────────────────────
    def _begin(self, model: nn.Module, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> None:
        self._pass = {}
        if model.training and torch.is_grad_enabled():
            self._training_passes += 1
        for value in (*arguments, *keywords.values()):
            if isinstance(value, Tensor) and value.numel() >= _ENOUGH:
                self._check_scale(value)

    def _check_scale(self, value: Tensor) -> None:
        if value.dtype is not torch.uint8 and not value.is_floating_point():
            return  # class or token numbers have no scale
        sample = value.detach().flatten()[:100_000].float()
        center, spread = sample.mean().abs().item(), sample.std().item()
        if center > 10 or spread > 10:
            self._add(
                "SK239",
                say(
                    "the inputs are not scaled: mean {mean}, deviation {spread}",
                    mean=f"{center:.3g}",
                    spread=f"{spread:.3g}",
                ),
                None,
            )

    def _end(self, model: nn.Module, _arguments: Any, result: Any) -> None:
        for first, key in self._pass.items():
            for second, other in self._pass.items():
                if first < second and key == other:
                    self._shared[first, second] = self._shared.get((first, second), 0) + 1
        tensor = next(
            (t for t in (result if isinstance(result, list | tuple) else [result]) if isinstance(t, Tensor)), None
        )
        if tensor is not None and tensor.requires_grad:
            training = model.training
            tensor.register_hook(lambda _gradient: self._backward(training))

    def _backward(self, training: bool) -> None:
        if training:
            self._trained = True
            return
        if not self._sites:
            return
        if self._trained:
            self._add(
                "SK106", say("the model is trained on in eval mode: train() was not called after validation"), None
            )
        else:
            self._add("SK129", say("the model is trained in eval mode: train() was never called"), None)

    def _observer(self, name: str) -> Any:
        def observe(module: nn.Module, arguments: tuple[Any, ...], result: Any) -> None:
            given = arguments[0] if arguments else None
            rate = _rate(module)
            if (
                not isinstance(given, Tensor)
                or not isinstance(result, Tensor)
                or not rate
                or given.shape != result.shape
            ):
                return
            self._observe(name, module, given.detach(), result.detach(), rate)

        return observe

    def _observe(self, name: str, module: nn.Module, given: Tensor, result: Tensor, rate: float) -> None:
        # In place, the input is the output by now: what is zero there was dropped or was zero before.
        same = given.data_ptr() == result.data_ptr()
        gone = (result == 0) if same else (result == 0) & (given != 0)
        dropped = bool(gone.any())
        active = module.training and dropped
        if active and not torch.is_grad_enabled() and not self.sampling:
            self._add("SK110", say("{site} drops although gradients are off: eval() was not called", site=name), name)
        if not (self.model.training and torch.is_grad_enabled()):
            return
        site = self._sites[name]
        site.passes += 1
        site.dropped |= dropped
        site.elements += result.numel()
        if result.numel() < _ENOUGH or not dropped or rate >= 1:
            return
        key = _digest(gone)
        shape = tuple(result.shape)
        site.masks.setdefault(shape, set()).add(key)
        site.seen[shape] = site.seen.get(shape, 0) + 1
        self._pass[name] = f"{shape}:{key}"
        self._compare_ranks(name, key)

    def _compare_ranks(self, name: str, key: str) -> None:
        """Ask the other workers of a data-parallel run for their mask, once a site, in its third pass."""
        if (
            self._sites[name].passes != _PASSES
            or not torch.distributed.is_available()
            or not torch.distributed.is_initialized()
        ):
            return
        gathered: list[Any] = [None] * torch.distributed.get_world_size()
        torch.distributed.all_gather_object(gathered, key)
        if len(gathered) > 1 and len(set(gathered)) == 1:
            self._add("SK143", say("{site} drops the same elements on every rank", site=name), name)

    # ── at the end ──────────────────────────────────────────────────────────────────────────────────────────────
    def _judge(self, name: str, site: _Site) -> None:
        rate = _rate(self.model.get_submodule(name)) or 0.0
        # The chance that a working site drops nothing must be beyond doubt.
        doubtful = (1 - rate) ** min(site.elements, 10_000) > 1e-6
        if rate and self._training_passes >= _PASSES and site.passes >= _PASSES and not site.dropped and not doubtful:
            self._add(
                "SK142",
                say(
                    "{site} has rate {rate} and never dropped anything in training",
                    site=name,
                    rate=shown_rate(rate),
                ),
                name,
            )
        for shape, keys in site.masks.items():
            if site.seen[shape] >= _PASSES and len(keys) == 1:
                self._add("SK141", say("the mask of {site} never changes", site=name), name)
                break

    def _check_rates(self) -> None:
        """Rates in force against the recipe, and against an earlier run of the same recipe."""
        if self.recipe is None:
            return
        rates = {n: r for n, m in self.model.named_modules() if _is_dropout(m) and (r := _rate(m)) is not None}
        for name, wanted in self.recipe.rates.items():
            if name in rates and abs(rates[name] - float(wanted)) > 1e-6:
                self._differs(name, rates[name], float(wanted))
        earlier = _rates_by_recipe.setdefault(repr(self.recipe), rates)
        for name, rate in rates.items():
            if name in earlier and abs(earlier[name] - rate) > 1e-6:
                self._differs(name, rate, earlier[name])

    def _differs(self, name: str, rate: float, wanted: float) -> None:
        message = say(
            "{site} runs with rate {rate}, the recipe with {wanted}",
            site=name,
            rate=shown_rate(rate),
            wanted=shown_rate(wanted),
        )
        self._add("SK214", message, name)

    def _add(self, code: str, message: Message, site: str | None) -> None:
        if not any(f.code == code and f.site == site for f in self.findings):
            self.findings.append(find_rule(code).seen(message, site))


def _is_dropout(module: nn.Module) -> bool:
    return "Dropout" in type(module).__name__ and _rate(module) is not None


def _rate(module: nn.Module) -> float | None:
    rate = getattr(module, "p", None)
    return float(rate) if isinstance(rate, int | float | Tensor) else None


def _digest(mask: Tensor) -> str:
    """A short name for a mask; of a very large one, the first million elements."""
    bits = mask.flatten()[:1_000_000].to("cpu").numpy().tobytes()
    return hashlib.blake2b(bits, digest_size=12).hexdigest()
