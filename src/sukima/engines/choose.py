"""The framework that a task is trained with: that of what its factory makes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, Literal, Protocol, cast

from sukima.base.imports import require
from sukima.engines.candidate import Candidate, Listener, Measure, Terms
from sukima.engines.fitted import Fitted
from sukima.engines.inspected import Inspected
from sukima.engines.probe import Array, Probe
from sukima.records.recipe import Recipe
from sukima.records.task import Task

__all__ = ["Framework", "framework", "framework_of"]

Name = Literal["torch", "keras"]


class Framework(Protocol):
    """What sukima asks of a framework: the functions of ``engines.torch.framework`` and ``engines.keras.framework``.

    Only the module that a task needs is imported, so that either framework does without the other.
    """

    def inspect_model(self, task: Task) -> Inspected:
        """What is known of the model before any training; all data are checked on the way."""
        ...

    def check_recipes(self, task: Task, recipes: Iterable[Recipe]) -> None:
        """Everything short of training, for each recipe: what does not fit the model shows before anything begins."""
        ...

    def fingerprint(self, task: Task) -> str:
        """What a run of the task depends on besides recipe, seed and `versions`."""
        ...

    def versions(self) -> list[str]:
        """What trains, with its version."""
        ...

    def metric_increases(self, task: Task) -> bool:
        """Whether more of the task's metric is better."""
        ...

    def survives_fork(self, task: Task) -> bool:
        """Whether the task may be trained in forked processes."""
        ...

    def get_ready(self, task: Task) -> None:
        """Compile and load what training needs, so that it does not count as a part of the first training."""
        ...

    def probe(self, task: Task) -> Probe:
        """What looks at the task's models when they are trained."""
        ...

    def train_inputs(self, task: Task) -> Array | None:
        """The training inputs; a few of them where they are no arrays, ``None`` where they are no tensor."""
        ...

    def vary(self, task: Task, change: str) -> Task:
        """The task with ``batch_norm``, ``smaller`` or ``augmentation`` in its model.

        Raises:
            UnavailableError: the model does not allow it.
        """
        ...

    def worker_environment(self) -> dict[str, str]:
        """Environment variables that a worker elsewhere must have to train as this process does."""
        ...

    def fit(self, task: Task, recipe: Recipe | None, seed: int, *, test: bool) -> Fitted:
        """One run of a recipe; see `sukima.engines.torch.fit.fit`."""
        ...

    def train(
        self,
        task: Task,
        groups: Sequence[Mapping[int, Candidate]],
        listener: Listener,
        terms: Terms,
        measure: Measure | None,
    ) -> None:
        """Train candidates by their numbers; those of a group together, if they can be.

        A candidate that raises ends as a ``failed`` trial. Ctrl-C raises ``KeyboardInterrupt``.
        """
        ...

    def learn_rates(
        self, task: Task, groups: Sequence[Sequence[str]], start: float, seed: int, *, after_epoch: Callable[[], None]
    ) -> list[float]:
        """The rate of each group of sites, learned by gradient."""
        ...


_known: dict[int, tuple[object, Name]] = {}


def framework(task: Task) -> Framework:
    """What trains the task.

    Raises:
        MissingDependencyError: the framework is not installed.
    """
    name = framework_of(task)
    require(name, name)
    return cast(Framework, import_module(f"sukima.engines.{name}.framework"))


def framework_of(task: Task) -> Name:
    """``keras`` where the factory gives a Keras model, else ``torch``; the factory is called, once."""
    found = _known.get(id(task.model))
    if found is None or found[0] is not task.model:
        name: Name = "torch"
        if "keras" in sys.modules or _mentions_keras(task):
            from sukima.engines.keras.seeding import generators_restored

            try:
                with generators_restored():
                    model = task.model()
            except Exception:  # the same will be raised, and told, where it is trained
                return "keras" if _mentions_keras(task) else "torch"
            keras: Any = sys.modules["keras"]
            name = "keras" if isinstance(model, keras.Model) else "torch"
        found = _known[id(task.model)] = (task.model, name)
    return found[1]


def _mentions_keras(task: Task) -> bool:
    """Whether a factory that has not run yet may import Keras."""
    code = getattr(task.model, "__code__", None)
    return code is not None and "keras" in code.co_names
