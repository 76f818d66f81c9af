"""L1 as feature selection: data of which most inputs are useless.

60 inputs, of which 10 decide the class through a small random network; 600 rows. A 60 → 64 → 2 network with no penalty,
with L2, and with L1 as a proximal step, which gives exact zeros. An input is *selected* if any weight that leaves it is
above a hundredth of the largest weight of the layer. Strengths were chosen on the validation data of two other data
sets.

    python docs/evidence/feature_selection.py [epochs [seeds]]
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from cached import cached
from common import interval, mlp, publish, spread
from torch import nn

from sukima.comparison.statistics import paired_difference
from sukima.engines.torch.fit import fit
from sukima.records.penalty import L1, L2, GroupLasso
from sukima.records.recipe import Recipe
from sukima.records.task import Task

INPUTS, USEFUL, ROWS = 60, 10, 600
ARMS = {
    "none": Recipe(),
    "L2": Recipe(penalties={"0": L2(strength=0.01)}),
    "L1": Recipe(penalties={"0": L1(strength=0.15, form="proximal")}),
    "group lasso": Recipe(penalties={"0": GroupLasso(strength=0.04, groups="input", form="proximal")}),
}


def make_task(seed: int, epochs: int) -> Task:
    """Data whose class is decided by the first ten inputs."""
    torch.manual_seed(seed)
    teacher = nn.Sequential(nn.Linear(USEFUL, 6), nn.Tanh(), nn.Linear(6, 1, bias=False))
    x = torch.randn(ROWS * 4, INPUTS)
    with torch.no_grad():
        value = teacher(x[:, :USEFUL] * 1.5)[:, 0]
    y = (value > value.median()).long()
    parts = [(x[a:b], y[a:b]) for a, b in ((0, ROWS), (ROWS, 2 * ROWS), (2 * ROWS, 4 * ROWS))]
    return Task(
        model=mlp(INPUTS, 64, 2), train=parts[0], validation=parts[1], test=parts[2], metric="accuracy", epochs=epochs,
        batch_size=64, optimizer="momentum", learning_rate=0.05, name="useless inputs",
    )  # fmt: skip


def run(recipe: Recipe, seed: int, epochs: int) -> dict[str, float]:
    """Test error, and the share of useful and of useless inputs that are selected."""
    fitted = fit(make_task(seed, epochs), recipe, seed, test=True)
    weight = fitted.model[0].weight.detach().abs()
    selected = (weight.amax(0) > 0.01 * weight.max()).numpy()
    return {
        "error": 100 * (1 - fitted.trial.test.metric),
        "useful": 100 * float(np.mean(selected[:USEFUL])),
        "useless": 100 * float(np.mean(selected[USEFUL:])),
    }


def main() -> None:
    """Train, compare, write."""
    epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    lines = [
        f"{epochs} epochs, {seeds} data sets.", "",
        "| arm | test error % | useful selected % | useless selected % | gain in error [95 % interval] | |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    base: list[float] = []
    for name, recipe in ARMS.items():
        runs = [
            cached(
                "feature_selection", [name, recipe.to_json(), seed, epochs], lambda r=recipe, s=seed: run(r, s, epochs)
            )
            for seed in range(seeds)
        ]
        errors = [one["error"] for one in runs]
        base = base or errors
        gain = paired_difference(base, errors)
        shown = f"{interval(gain, 2)} | {gain.outcome}" if name != "none" else "|"
        cells = " | ".join(spread([one[what] for one in runs], 1) for what in ("error", "useful", "useless"))
        lines.append(f"| {name} | {cells} | {shown} |")
    publish("feature_selection", "\n".join(lines))


if __name__ == "__main__":
    main()
