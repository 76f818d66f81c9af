"""The report for machines: a stable form that does not change with the language, except in evidence and advice."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

import sukima
from sukima.records.finding import Finding
from sukima.records.history import History
from sukima.records.recipe import Recipe
from sukima.records.result import Arm, Comparison, Cost, Difference, Rung, Score, TuneResult
from sukima.records.verdict import Verdict
from sukima.reporting.sections.arms import best_arm

__all__ = ["to_json"]

Listed = Sequence[Verdict | tuple[Verdict, History] | Finding]


def to_json(result: TuneResult | Comparison | Listed) -> str:
    """The result as JSON; numbers that are not finite become ``null``.

    ``tune`` and ``compare``: an object with ``recipe``, ``baseline``, ``candidates``, ``test`` and ``cost``.
    ``diagnose``: a list of ``source``, ``verdict``, ``onset_epoch``, ``gap``, ``confidence``, ``evidence``, ``advice``.
    ``audit``: a list of ``code``, ``severity``, ``path``, ``line``, ``site``, ``message``, ``fix``.
    """
    if isinstance(result, TuneResult):
        value: Any = _tune(result)
    elif isinstance(result, Comparison):
        value = _comparison(result)
    else:
        value = [(item[0] if isinstance(item, tuple) else item).to_dict() for item in result]
    return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, indent=2)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return value


def _tune(result: TuneResult) -> dict[str, Any]:
    comparison = result.comparison
    baseline = result.search[0] if result.search else comparison.baseline if comparison else None
    return {
        "kind": "tune",
        "sukima": sukima.__version__,
        "task": result.task,
        "model": result.model,
        "by": result.by,
        "complete": result.complete,
        "recipe": _recipe(result.recipe),
        "baseline": _arm(baseline, result.baseline) if baseline else None,
        "candidates": [_arm(arm) for arm in result.search],
        "strategy": result.strategy,
        "given_up": result.given_up,
        "failed": result.failed,
        "importance": result.importance,
        "flat": {name: list(ends) for name, ends in result.flat.items()},
        "study": list(result.study),
        "ladder": [_rung(rung) for rung in result.ladder],
        "finalists": _finalists(result.finalists) if result.finalists else None,
        "sites": [msgspec.to_builtins(site) for site in result.sites],
        "test": _test(comparison) if comparison else None,
        "cost": _cost(result.cost),
        "setup": result.setup,
        "environment": result.environment,
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    best = best_arm(comparison) or comparison.baseline
    return {
        "kind": "compare",
        "sukima": sukima.__version__,
        "task": comparison.task,
        "by": comparison.by,
        "complete": comparison.complete,
        "recipe": _recipe(best.recipe),
        "baseline": _arm(comparison.baseline, comparison.verdicts.get(comparison.baseline.name)),
        "candidates": [_arm(arm, comparison.verdicts.get(arm.name)) for arm in comparison.arms],
        "test": _test(comparison),
        "effects": _effects(comparison),
        "given_loss": comparison.given_loss,
        "left_out": {name: why.text("en") for name, why in comparison.left_out.items()},
        "cost": _cost(comparison.cost),
        "setup": comparison.setup,
        "environment": comparison.environment,
    }


def _recipe(recipe: Recipe) -> Any:
    return msgspec.to_builtins(recipe)


def _arm(arm: Arm, verdict: Verdict | None = None) -> dict[str, Any]:
    return {
        "name": arm.name,
        "recipe": _recipe(arm.recipe),
        **({"change": arm.change} if arm.change else {}),
        **({"members": arm.members} if arm.members > 1 else {}),
        "seeds": list(arm.seeds),
        "epochs": [trial.epoch for trial in arm.trials],
        "train": _scores([trial.train for trial in arm.trials]),
        "validation": _scores([trial.validation for trial in arm.trials]),
        **({"verdict": verdict.to_dict()} if verdict else {}),
    }


def _scores(scores: Sequence[Score | None]) -> dict[str, list[float | None]]:
    return {
        "loss": [score.loss if score else None for score in scores],
        "metric": [score.metric if score else None for score in scores],
    }


def _rung(rung: Rung) -> dict[str, Any]:
    return {
        "site": rung.site,
        "rate": rung.rate,
        "values": list(rung.values),
        "gain": rung.gain,
        "noise": rung.noise,
        "accepted": rung.accepted,
    }


def _test(comparison: Comparison) -> dict[str, Any]:
    """The scores that arms are compared by; ``data`` says if they are of validation data for want of others."""
    return {
        "data": comparison.data,
        "metric": comparison.metric,
        "arms": {
            arm.name: _scores([getattr(trial, comparison.data) for trial in arm.trials]) for arm in comparison.arms
        },
        "differences": _differences(comparison.differences),
    }


def _finalists(finalists: Comparison) -> dict[str, Any]:
    return {"arms": [_arm(arm) for arm in finalists.arms], "differences": _differences(finalists.differences)}


def _differences(differences: Mapping[str, Difference]) -> dict[str, Any]:
    return {
        name: {
            "mean": difference.mean,
            "low": difference.low,
            "high": difference.high,
            "level": difference.level,
            "gains": list(difference.gains),
            "outcome": difference.outcome,
        }
        for name, difference in differences.items()
    }


def _effects(comparison: Comparison) -> dict[str, Any]:
    """What the arms do besides, by the names that `Comparison.effects` lists."""
    return {
        name: {"values": dict(effect.values), "differences": _differences(effect.differences)}
        for name, effect in comparison.effects.items()
    }


def _cost(cost: Cost) -> dict[str, Any]:
    return {
        "seconds": cost.seconds,
        "trials": cost.trials,
        "epochs": cost.epochs,
        "full_trainings": cost.full_trainings,
    }
