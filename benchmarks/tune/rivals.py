"""The tuners that sukima is measured against, each as its users run it, on the same space with the same trainer.

Every trial is trained by `train_plain` with one seed, the same for all trials of a search. A search ends when its
budget is spent; the trial at work then does not count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tasks import make_task, space_of, train_plain

import sukima
from sukima.tuning.space import Space

__all__ = ["PEERS", "Search"]


class SpentError(Exception):
    """The budget is spent."""


@dataclass
class Search:
    """One search by one tuner: what it may spend, and what it found.

    Attributes:
        task: name of the task.
        repeat: number of the repeat: the split of the data, and the seed.
        budget: seconds, on the ``clock``.
        clock: ``time.perf_counter``, or ``time.process_time`` for seconds of computing.
        accelerated: whether the tuner's trials run under ``sukima.accelerate()``.
        path: whenever a trial was the best so far: seconds, its value, its rates by site.
        trials: how many were trained, to their end or until they were given up.
    """

    task: str
    repeat: int
    budget: float
    clock: Callable[[], float] = time.perf_counter
    accelerated: bool = False
    path: list[tuple[float, float, dict[str, float]]] = field(default_factory=list)
    trials: int = 0
    spent: float = 0.0

    def __post_init__(self) -> None:
        self.data = make_task(self.task, self.repeat)
        self.space: Space = space_of(self.data)
        self._started = self.clock()

    def check(self) -> None:
        """Raise ``SpentError`` if the budget is spent."""
        self.spent = self.clock() - self._started
        if self.spent >= self.budget:
            raise SpentError

    def rates(self, point: Mapping[str, Any]) -> dict[str, float]:
        """Site → rate at a point of the space."""
        return dict(self.space.recipe({name: round(float(value), 2) for name, value in point.items()}).rates)

    def evaluate(
        self, point: Mapping[str, Any], report: Callable[[int, float], None] = lambda epoch, loss: None
    ) -> float:
        """The validation loss of a trial at its best epoch."""
        rates = self.rates(point)

        def after(epoch: int, loss: float) -> None:
            self.check()
            report(epoch, loss)

        self.check()
        with sukima.accelerate() if self.accelerated else nullcontext():
            self.trials += 1
            value = train_plain(self.data, rates, self.repeat, after).validation
        self.found(value, rates)
        return value

    def found(self, value: float, rates: dict[str, float]) -> None:
        """Note a finished trial."""
        if not self.path or value < self.path[-1][1]:
            self.path.append((round(self.spent, 2), value, rates))


def optuna_search(search: Search, pruner: Callable[[Any], Any]) -> None:
    """Optuna's TPE; ``pruner(optuna)`` gives up trials early."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=search.repeat), pruner=pruner(optuna))

    def objective(trial: Any) -> float:
        point = {
            d.name: trial.suggest_float(d.name, float(d.values[0]), float(d.values[-1]), step=0.05)
            for d in search.space.dimensions
        }

        def report(epoch: int, loss: float) -> None:
            trial.report(loss, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

        return search.evaluate(point, report)

    study.optimize(objective)


def keras_tuner_search(search: Search) -> None:
    """KerasTuner's Bayesian optimization, with a trainer of one's own in ``run_trial``."""
    import os
    import tempfile

    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras_tuner

    class Tuner(keras_tuner.Tuner):  # type: ignore[misc]  # untyped
        def run_trial(self, trial: Any, *_: Any, **__: Any) -> dict[str, float]:
            point = {
                d.name: trial.hyperparameters.Float(d.name, float(d.values[0]), float(d.values[-1]), step=0.05)
                for d in search.space.dimensions
            }
            try:
                return {"loss": search.evaluate(point)}
            except SpentError:
                self.oracle.max_trials = 1  # the next one that it asks for is refused
                return {"loss": 1e9}

    oracle = keras_tuner.oracles.BayesianOptimizationOracle(
        objective=keras_tuner.Objective("loss", "min"), max_trials=100_000, seed=search.repeat
    )
    with tempfile.TemporaryDirectory() as folder:
        Tuner(oracle=oracle, directory=folder, overwrite=True).search(verbose=0)


def ray_search(search: Search) -> None:
    """Ray Tune's ASHA on random points, two trials at a time, in processes that are used again."""
    import ray
    from ray import tune

    task, repeat, accelerated = search.task, search.repeat, search.accelerated

    class Stop(tune.Stopper):
        """Adds up what trials tell of their computing; the budget is of all of them together."""

        def __init__(self) -> None:
            self.seconds: dict[str, float] = {}

        def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
            self.seconds[trial_id] = result["computing"]
            return bool(result["ended"])

        def stop_all(self) -> bool:
            spent = sum(self.seconds.values()) if search.clock is time.process_time else search.clock() - began
            search.spent = spent
            return spent >= search.budget

    def train(config: dict[str, float]) -> None:
        import torch

        torch.set_num_threads(1)
        data = make_task(task, repeat)
        rates = dict(space_of(data).recipe({n: round(v, 2) for n, v in config.items()}).rates)
        started = time.process_time()

        def report(epoch: int, loss: float) -> None:
            ended = epoch == data.epochs - 1
            tune.report({"loss": loss, "computing": time.process_time() - started, "ended": ended})

        with sukima.accelerate() if accelerated else nullcontext():
            train_plain(data, rates, repeat, report)

    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    began = search.clock()
    config = {d.name: tune.quniform(float(d.values[0]), float(d.values[-1]), 0.05) for d in search.space.dimensions}
    asha = tune.schedulers.ASHAScheduler(max_t=search.data.epochs, grace_period=max(1, search.data.epochs // 8))
    results = tune.Tuner(
        tune.with_resources(train, {"cpu": 1}),
        param_space=config,
        tune_config=tune.TuneConfig(metric="loss", mode="min", scheduler=asha, num_samples=-1, reuse_actors=True),
        run_config=tune.RunConfig(stop=Stop(), verbose=0),
    ).fit()
    for result in results:
        if result.metrics and "loss" in result.metrics:
            search.trials += 1
            if result.metrics["ended"]:
                search.found(result.metrics["loss"], search.rates(result.config))
    ray.shutdown()


PEERS: dict[str, Callable[[Search], None]] = {
    "Optuna TPE": partial(optuna_search, pruner=lambda optuna: optuna.pruners.NopPruner()),
    "Optuna TPE + halving": partial(optuna_search, pruner=lambda optuna: optuna.pruners.HyperbandPruner()),
    "KerasTuner": keras_tuner_search,
    "Ray Tune ASHA": ray_search,
}
"""Name → its search."""
