"""What the evidence scripts share: data, the place of finished runs, and how a result gets into its page."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
from torch import nn

from sukima.comparison.effects import effects_of, given_loss
from sukima.records.recipe import Recipe
from sukima.records.result import Comparison, Difference
from sukima.records.task import Task
from sukima.workflow.compare import compare
from sukima.workflow.datasets import load_dataset
from sukima.workflow.environment import environment

HERE = Path(__file__).parent
os.environ.setdefault("SUKIMA_DATA", str(HERE.parents[2] / "shared" / "data"))

__all__ = [
    "HERE",
    "compared",
    "effects_of",
    "given_loss",
    "interval",
    "mlp",
    "mnist_task",
    "publish",
    "spread",
    "table",
]


def mlp(*sizes: int, activation: type[nn.Module] = nn.ReLU) -> Callable[[], nn.Module]:
    """A factory of fully connected networks; its sites are the activations "1", "3", …"""

    def model() -> nn.Module:
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), activation()]
        return nn.Sequential(*layers[:-1])

    return model


def mnist_task(model: Callable[[], nn.Module], rows: int, *, epochs: int, **settings: object) -> Task:
    """So many of MNIST's training images, 10,000 others for validation, its own test set."""
    train, test = load_dataset("mnist")
    order = np.random.default_rng(0).permutation(len(train.targets))
    kept, held = order[10_000 : 10_000 + rows], order[:10_000]
    usual = {"batch_size": 128, "learning_rate": 1e-3, "metric": "accuracy", "name": f"MNIST, {rows} training images"}
    return Task(
        model=model,
        train=(train.inputs[kept], train.targets[kept]),
        validation=(train.inputs[held], train.targets[held]),
        test=tuple(test),
        epochs=epochs,
        **(usual | settings),
    )


def compared(
    name: str, task: Task, recipes: Mapping[str, Recipe], seeds: int = 5, *, effects: bool = False
) -> Comparison:
    """A comparison whose finished runs are kept, so that the script can be stopped and started again."""
    return compare(task, recipes, seeds=seeds, effects=effects, runs=HERE / f"{name}.runs.jsonl")


def spread(values: Sequence[float], digits: int = 4) -> str:
    """Mean ± standard deviation."""
    text = f"{fmean(values):.{digits}f}"
    return f"{text} ± {stdev(values):.{digits}f}" if len(values) > 1 else text


def interval(found: Difference, digits: int = 4) -> str:
    """Mean gain and its interval."""
    return f"{found.mean:+.{digits}f} [{found.low:+.{digits}f}, {found.high:+.{digits}f}]"


def table(comparison: Comparison) -> str:
    """Loss, error, gap, and gain of every arm, as Markdown."""
    level = 100 * max((d.level for d in comparison.differences.values()), default=0.95)
    lines = [
        f"| arm | test loss | test error % | gap | gain in loss [{level:.4g} % interval] | |",
        "|---|---|---|---|---|---|",
    ]
    for arm in comparison.arms:
        scores = [trial.test or trial.validation for trial in arm.trials]
        errors = [100 * (1 - (score.metric or 0.0)) for score in scores]
        gaps = [trial.validation.loss - trial.train.loss for trial in arm.trials]
        found = comparison.differences.get(arm.name)
        gain = f"{interval(found)} | {found.outcome}" if found else "|"
        lines.append(
            f"| {arm.name} | {spread([s.loss for s in scores])} | {spread(errors, 2)} | {fmean(gaps):.4f} | {gain} |"
        )
    return "\n".join(lines)


def publish(name: str, text: str) -> None:
    """Put a result between the marks of its page, with what it was made with; make the page if there is none."""
    page = HERE / f"{name}.md"
    made = ", ".join(f"{key} {value}" for key, value in environment().items())
    block = f"<!-- result -->\n{text.strip()}\n\nMade with {made}.\n<!-- /result -->"
    old = page.read_text(encoding="utf-8") if page.exists() else f"# {name}\n\n<!-- result -->\n<!-- /result -->\n"
    new = re.sub(r"<!-- result -->.*<!-- /result -->", lambda _: block, old, flags=re.DOTALL)
    page.write_text(new, encoding="utf-8")
    print(text)
