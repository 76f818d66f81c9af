"""``sukima.watch``: what only shows in motion."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Protocol

from sukima.auditing.watching.sightings import Sightings
from sukima.base.errors import InputError
from sukima.records.finding import Finding
from sukima.records.recipe import Recipe

__all__ = ["Watch", "watch"]


def watch(model: Any, *, recipe: Recipe | None = None, sampling: bool = False, show: bool = True) -> Watch:
    """Watch a model while it is trained and evaluated: ``with sukima.watch(model) as watched: …``.

    Training goes on as it would: no random number is drawn and no gradient changed. It is slower while every mask is
    read; watch some steps, not a whole training.

    Args:
        model: the torch module or Keras model in use.
        recipe: what the run claims to use; its rates are compared with those in force, here and in earlier runs.
        sampling: dropout at inference is meant (Monte Carlo dropout), so it is not reported.
        show: print the findings at the end; they are in ``findings`` in any case.

    Returns:
        A context manager with ``start()``, ``stop()`` and ``findings``. For the training loops of other libraries there
        is a ``WatchCallback`` in `sukima.integrations.lightning`, `sukima.integrations.hugging_face` and
        `sukima.integrations.keras`.

    Raises:
        InputError: ``model`` is neither a ``torch.nn.Module`` nor a Keras model.
    """
    return Watch(model, recipe=recipe, sampling=sampling, show=show)


class _Observer(Protocol):
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def rates(self) -> dict[str, float]: ...


class Watch:
    """The watch over one model; see `watch`."""

    def __init__(self, model: Any, *, recipe: Recipe | None, sampling: bool, show: bool) -> None:
        self.show = show
        self._seen = Sightings(recipe, sampling=sampling)
        self._observer = _observer(model, self._seen)
        self._running = False

    @property
    def findings(self) -> list[Finding]:
        """What was found so far."""
        return self._seen.findings

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to watch."""
        if self._running:
            return
        self._running = True
        self._observer.start()
        self._seen.check_rates(self._observer.rates())

    def stop(self) -> None:
        """Stop watching, and say what was seen."""
        if not self._running:
            return
        self._running = False
        self._observer.stop()
        rates = self._observer.rates()
        self._seen.check_rates(rates)
        self._seen.judge(rates)
        if self.show and self.findings:
            from rich.console import Console

            from sukima.auditing.output.terminal import print_findings

            print_findings(Console(stderr=True, highlight=False), self.findings, 0)


def _observer(model: Any, seen: Sightings) -> _Observer:
    """The observer of the model's framework; on Keras' torch backend a model is a module too, and Keras comes first."""
    roots = {base.__module__.partition(".")[0] for base in type(model).__mro__}
    if "keras" in roots and callable(getattr(model, "get_config", None)):
        from sukima.auditing.watching.keras import KerasObserver

        return KerasObserver(model, seen)
    if "torch" in sys.modules and "torch" in roots:
        from sukima.auditing.watching.torch import TorchObserver

        return TorchObserver(model, seen)
    raise InputError("model must be a torch.nn.Module or a Keras model, got {value}", value=type(model).__name__)
