"""Results as the workflow makes them, with plausible noisy curves, from a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sukima.base.messages import say
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.result import Arm, Comparison, Cost, Difference, Outcome, Rung, Score, Trial, TuneResult
from sukima.records.site import Site
from sukima.records.verdict import Verdict

SITES = (
    Site(name="1", after="Linear(64, 256)", exists=False),
    Site(name="3", after="Linear(256, 128)", exists=False),
)
SETUP = {"train_rows": 800, "validation_rows": "20 %", "loss": "cross_entropy", "learning_rate": 2e-3, "epochs": 60}
ENVIRONMENT = {"sukima": "0.1.0", "torch": "2.13.0", "Python": "3.11.9", "processor": "x86_64, 2 cores"}


def history(seed: int, *, overfits: float = 1.0, epochs: int = 40, floor: float = 0.1) -> History:
    """Losses that fall and, with ``overfits``, a validation loss that turns up again."""
    draw = random.Random(seed)
    train, validation, train_metric, validation_metric = [], [], [], []
    for epoch in range(epochs):
        fall = 2.2 * 0.75**epoch
        train.append(fall + 0.002 + 0.03 * 0.9**epoch * (1.5 - overfits) + draw.gauss(0, 0.001 + 0.02 * fall))
        rise = 0.0015 * overfits * max(epoch - 12, 0)
        validation.append(0.9 * fall + floor + rise + draw.gauss(0, 0.003 + 0.02 * fall))
        train_metric.append(min(1.0, 1 - 0.3 * fall))
        validation_metric.append(min(1.0, 0.975 - 0.3 * fall + draw.gauss(0, 0.003)))
    return History(
        train_loss=[max(value, 1e-4) for value in train],
        validation_loss=validation,
        train_metric=train_metric,
        validation_metric=validation_metric,
        metric="accuracy",
        train_in_inference_mode=True,
        seconds=[0.05] * epochs,
    )


def trial(recipe: Recipe, seed: int, *, test: bool, floor: float, overfits: float, epochs: int = 40) -> Trial:
    curves = history(seed, overfits=overfits, floor=floor, epochs=epochs)
    best = curves.best_epoch
    noise = random.Random(seed + 1000).gauss(0, 0.004)
    return Trial(
        recipe=recipe,
        seed=seed,
        history=curves,
        epoch=best + 1,
        train=Score(curves.train_loss[best], curves.train_metric[best]),
        validation=Score(curves.validation_loss[best], curves.validation_metric[best]),
        test=Score(floor + noise + 0.012, 0.974 + noise / 2) if test else None,
    )


def arm(name: str, recipe: Recipe, seeds: Sequence[int], *, floor: float, overfits: float, test: bool = True) -> Arm:
    return Arm(name, recipe, tuple(trial(recipe, s, test=test, floor=floor, overfits=overfits) for s in seeds))


def difference(gains: Sequence[float], half: float) -> Difference:
    mean = sum(gains) / len(gains)
    outcome: Outcome = "better" if mean > half else "worse" if mean < -half else "no difference"
    return Difference(mean, mean - half, mean + half, 0.95, tuple(gains), outcome)


def verdict(source: str = "none", conclusion: str = "overfitting") -> Verdict:
    return Verdict(
        conclusion,  # type: ignore[arg-type]
        onset_epoch=14 if conclusion == "overfitting" else None,
        gap=0.127,
        confidence=0.93,
        evidence=(say("{count} epochs", count=40),),
        advice=(say("{count} runs", count=5),),
        source=source,
    )


def comparison(gain: float = 0.016, names: Sequence[str] = ("none", "guideline", "tuned")) -> Comparison:
    recipes = (
        Recipe(),
        Recipe(rates={"1": 0.4, "3": 0.4}),
        Recipe(rates={"1": 0.5, "3": 0.3}),
        *(Recipe(rates={"*": 0.01 * i}) for i in range(1, len(names))),
    )
    arms = tuple(
        arm(name, recipe, range(11, 16), floor=0.104 - (gain if i else 0), overfits=1.0 if i == 0 else 0.15)
        for i, (name, recipe) in enumerate(zip(names, recipes, strict=False))
    )
    draw = random.Random(5)
    gains = {
        name: [gain * (0.8 if name == "guideline" else 1) + draw.gauss(0, 0.005) for _ in range(5)] for name in names
    }
    return Comparison(
        task="digits",
        by="loss",
        metric="accuracy",
        metric_increases=True,
        data="test",
        arms=arms,
        differences={name: difference(gains[name], 0.008) for name in names[1:]},
        verdicts={names[0]: verdict(names[0]), **{name: verdict(name, "healthy") for name in names[1:]}},
        cost=Cost(12.3, 15, 600),
        environment=ENVIRONMENT,
    )


def ladder(sites: Sequence[str] = ("*", "1", "3")) -> tuple[Rung, ...]:
    draw = random.Random(3)
    rungs = []
    for site in sites:
        best = 0.116
        for step in range(1, 8):
            rate = step / 10
            level = 0.1 + 0.1 * (rate - 0.45) ** 2
            values = tuple(level + draw.gauss(0, 0.003) for _ in range(3))
            gain = best - sum(values) / 3
            accepted = gain > 0.001
            best = min(best, sum(values) / 3)
            rungs.append(Rung(Recipe(rates={site: rate}), site, rate, values, gain, 0.0012, accepted))
    return tuple(rungs)


def tune_result(gain: float = 0.016, **changes: object) -> TuneResult:
    compared = comparison(gain)
    fields = {
        "task": "digits",
        "by": "loss",
        "recipe": compared.arms[-1].recipe,
        "model": "Sequential",
        "sites": SITES,
        "search": (arm("none", Recipe(), range(3), floor=0.11, overfits=1.0, test=False),),
        "ladder": ladder(),
        "baseline": verdict(),
        "comparison": compared,
        "cost": Cost(43.2, 96, 3120),
        "environment": ENVIRONMENT,
        "setup": SETUP,
        **changes,
    }
    return TuneResult(**fields)  # type: ignore[arg-type]
