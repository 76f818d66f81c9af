"""Results: what tune and compare found, as plain data that a report can draw."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Any, Literal

from sukima.base.messages import Message
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.site import Site
from sukima.records.task import By, Setup
from sukima.records.verdict import Verdict

__all__ = ["Arm", "Comparison", "Cost", "Difference", "Effect", "Outcome", "Rung", "Score", "Trial", "TuneResult"]

Outcome = Literal["better", "worse", "no difference"]


@dataclass(frozen=True)
class Score:
    """Mean loss and metric over one data set, in inference mode."""

    loss: float
    metric: float | None = None

    def by(self, what: By) -> float:
        """The loss, or the metric."""
        value = self.loss if what == "loss" else self.metric
        assert value is not None  # tune and compare refuse a search by a metric that the task does not have
        return value


@dataclass(frozen=True)
class Trial:
    """One training run of a recipe with one seed, judged at its best-validation checkpoint.

    ``effects`` holds what else was measured on the trained model (see `Effect`), by name.
    """

    recipe: Recipe
    seed: int
    history: History
    epoch: int
    train: Score
    validation: Score
    test: Score | None = None
    effects: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Arm:
    """One recipe in a comparison, trained with several seeds.

    Attributes:
        name: what it is called.
        recipe: what regularizes it.
        trials: one a seed. In an ensemble a trial holds the scores of all members together, the first member's
            curves and the time of all.
        members: how many networks are averaged.
        change: how its network or its data differ from the task's, if they do: a word of `sukima.comparison.variants`.
    """

    name: str
    recipe: Recipe
    trials: tuple[Trial, ...] = ()
    members: int = 1
    change: str = ""

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of its trials, in their order."""
        return tuple(trial.seed for trial in self.trials)


@dataclass(frozen=True)
class Difference:
    """Paired gain of an arm over the baseline: positive is better, whatever the direction of the measure.

    Attributes:
        mean: mean gain over the seeds.
        low: lower end of the interval.
        high: upper end.
        level: the interval's coverage, such as 0.95.
        gains: the gain of each seed.
        outcome: ``better`` or ``worse`` where the interval excludes zero.
    """

    mean: float
    low: float
    high: float
    level: float
    gains: tuple[float, ...]
    outcome: Outcome


@dataclass(frozen=True)
class Effect:
    """What a comparison found of something other than the score that it goes by.

    Attributes:
        values: arm name → the value of each seed, in the order of its trials; infinite where it was never reached.
        differences: arm name → gain over the baseline.
    """

    values: dict[str, tuple[float, ...]]
    differences: dict[str, Difference]


@dataclass(frozen=True)
class Rung:
    """One step of the ladder: a recipe tried on validation data.

    Attributes:
        recipe: what was tried.
        site: the site whose rate it changes; ``"*"`` while all sites share one rate.
        rate: the rate tried there.
        values: validation loss (or metric) of each seed.
        gain: mean paired gain over the best recipe before it; positive is better.
        noise: standard error of that gain.
        accepted: whether it became the best so far.
    """

    recipe: Recipe
    site: str
    rate: float
    values: tuple[float, ...]
    gain: float
    noise: float
    accepted: bool


@dataclass(frozen=True)
class Cost:
    """What a search cost: wall-clock seconds, trials, and epochs over all trials.

    ``full_trainings`` is what the epochs amount to in trainings of the task's full length.
    """

    seconds: float
    trials: int
    epochs: int
    full_trainings: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Arms side by side on one task, with the same seeds in each.

    Attributes:
        task: the task's name.
        by: what is compared: the loss or the metric.
        metric: the metric's name; empty if there is none.
        metric_increases: whether a larger metric is better.
        data: where the scores come from: ``test``, or ``validation`` where the task has no test data.
        arms: the arms, baseline first.
        differences: arm name → gain over the baseline in what is compared.
        verdicts: arm name → verdict on its histories.
        cost: what it cost.
        environment: versions and machine, for the record.
        setup: how the trials were trained (see `setup_of`).
        complete: whether it ran to its end.
        effects: name → what the arms do besides. The names: ``metric`` or ``loss`` (the one that is not compared),
            ``gap``, ``noisy_loss`` (with noise on the inputs), ``calibration`` (expected calibration error), ``brier``,
            ``co_adaptation`` (mean absolute correlation of hidden units), ``sparsity`` (share of weights near zero),
            ``masked`` (loss of the mean of many masked passes less that of one pass without masks), ``epochs`` and
            ``seconds`` (to the loss ``given_loss``).
        given_loss: the validation loss that ``epochs`` and ``seconds`` lead to.
        left_out: arms that the model or the data do not allow → why.
    """

    task: str
    by: By
    metric: str
    metric_increases: bool
    data: Literal["test", "validation"]
    arms: tuple[Arm, ...]
    differences: dict[str, Difference]
    verdicts: dict[str, Verdict]
    cost: Cost
    environment: dict[str, str] = field(default_factory=dict)
    setup: Setup = field(default_factory=dict)
    complete: bool = True
    effects: dict[str, Effect] = field(default_factory=dict)
    given_loss: float | None = None
    left_out: dict[str, Message] = field(default_factory=dict)

    @property
    def baseline(self) -> Arm:
        """The arm that the others are compared with."""
        return self.arms[0]

    def arm(self, name: str) -> Arm:
        """The arm of that name."""
        return next(arm for arm in self.arms if arm.name == name)

    def _repr_html_(self) -> str:
        return _shown(self)


@dataclass(frozen=True, kw_only=True)
class TuneResult:
    """What tune found.

    Attributes:
        recipe: the winner; empty where nothing beat the baseline on validation data.
        model: the model's name.
        sites: the sites that were searched.
        search: the candidates that were trained to their end, baseline and guideline first.
        ladder: the steps of the search in their order, where it was a ladder.
        finalists: the best few beside the baseline, with fresh seeds, on validation data: what the winner was chosen
            by. Where time was short, the seeds of the search are among them, and the best are compared with each other
            alone. ``None`` if the search was interrupted before it.
        comparison: baseline, guideline and winner on test data; ``None`` if the search was interrupted before it.
        baseline: verdict on the baseline, from the search's own seeds.
        cost: what search and comparison cost together.
        complete: whether it ran to its end.
        strategy: how it was searched.
        given_up: how many candidates were not trained to their end.
        failed: how many candidates raised or gave no number.
        importance: dimension → its share in what made candidates differ; empty if there were too few.
        flat: dimension → range of rates that cannot be told from the best.
        remark: what a reader should know of the search, such as rates that have not converged.
        study: where the study is kept, as a storage URL, and its name there; empty if nowhere.
    """

    task: str
    by: By
    recipe: Recipe
    model: str
    sites: tuple[Site, ...]
    search: tuple[Arm, ...]
    ladder: tuple[Rung, ...]
    baseline: Verdict | None
    comparison: Comparison | None
    cost: Cost
    environment: dict[str, str] = field(default_factory=dict)
    setup: Setup = field(default_factory=dict)
    complete: bool = True
    finalists: Comparison | None = None
    strategy: str = "ladder"
    given_up: int = 0
    failed: int = 0
    importance: dict[str, float] = field(default_factory=dict)
    flat: dict[str, tuple[float, float]] = field(default_factory=dict)
    remark: Message | None = None
    study: tuple[str, ...] = ()

    @property
    def histories(self) -> list[History]:
        """The histories of every trial of the search and of the final comparison."""
        compared = [part.arms for part in (self.finalists, self.comparison) if part is not None]
        return [trial.history for arms in (self.search, *compared) for arm in arms for trial in arm.trials]

    @property
    def test(self) -> dict[str, Any]:
        """Arm → its scores on test data, by seed; empty without a final comparison."""
        if self.comparison is None:
            return {}
        return {arm.name: [trial.test for trial in arm.trials] for arm in self.comparison.arms}

    def _repr_html_(self) -> str:
        return _shown(self)


def _shown(result: Comparison | TuneResult) -> str:
    """How a notebook shows a result. Records know nothing of reports, so it is looked up only when it is shown."""
    text: str = importlib.import_module("sukima.reporting.notebook").notebook_html(result)
    return text
