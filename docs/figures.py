"""The figures of the course, made by the package: ``python docs/figures.py`` (takes some minutes; runs are kept).

The forest is that of ``sukima compare`` with its default recipes, from ``docs/figures.runs.jsonl``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

import sukima
import sukima.torch as st
from sukima.diagnosis.pictures import draw as draw_verdicts
from sukima.masks.law import keep
from sukima.records.recipe import Recipe
from sukima.reporting import document_of
from sukima.reporting.blocks import Chart, Forest, Panels
from sukima.reporting.plots import plot_chart, plot_forest

HERE = Path(__file__).parent
IMAGES = HERE / "images" / "course"
RUNS = HERE / "figures.runs.jsonl"
BLUE, GREY, ORANGE = "#0067a8", "#70757d", "#b45f06"


def save(figure: plt.Figure, name: str) -> None:
    """As SVG that does not change from run to run."""
    figure.savefig(IMAGES / f"{name}.svg", metadata={"Date": None}, bbox_inches="tight")
    plt.close(figure)


def overfitting() -> None:
    """The curves of a network without dropout, five seeds."""
    recipes = {"none": Recipe(rates={"1": 0.0, "3": 0.0}), "dropout": Recipe(rates={"1": 0.4, "3": 0.4})}
    task = replace(sukima.demo_task(train_rows=400), epochs=150)
    found = sukima.compare(task, recipes, runs=RUNS, effects=False)
    panels = next(
        block
        for section in document_of(found).sections
        if section.name == "curves"
        for block in section.blocks
        if isinstance(block, Panels)
    )
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), layout="tight")
    for chart, place in zip(panels.charts, axes, strict=False):
        assert isinstance(chart, Chart)
        plot_chart(chart, place)
    save(figure, "overfitting")


def masks() -> None:
    """Which of eight units the masks of one key drop, step by step."""
    key = sukima.MaskKey(seed=42).fold_in("hidden")
    figure, place = plt.subplots(figsize=(5, 2.6), layout="tight")
    for step in range(8):
        kept = np.asarray(keep(key.fold_in(step), 0.5, 8)).astype(bool)
        for unit in range(8):
            place.add_patch(
                plt.Circle((step, 7 - unit), 0.34, facecolor=BLUE if kept[unit] else "none", edgecolor=BLUE, lw=1.2)
            )
    place.set(xlim=(-0.6, 7.6), ylim=(-0.6, 7.6), aspect="equal", xlabel="training step", ylabel="unit")
    place.set_xticks(range(8), [str(step + 1) for step in range(8)])
    place.set_yticks([])
    for side in place.spines.values():
        side.set_visible(False)
    save(figure, "masks")


def rate() -> None:
    """Test loss against the rate, five paired seeds."""
    rates = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    recipes = {f"{rate:g}": Recipe(rates={"1": rate, "3": rate}) for rate in rates}
    found = sukima.compare(sukima.demo_task(), recipes, runs=RUNS, effects=False)
    losses = np.array([[trial.test.loss for trial in arm.trials] for arm in found.arms])
    figure, place = plt.subplots(figsize=(5.5, 3.2), layout="tight")
    place.plot(rates, losses, color=GREY, alpha=0.35, lw=1)
    place.plot(rates, losses.mean(1), color=BLUE, lw=2, marker="o")
    place.set(xlabel="rate", ylabel="test loss")
    save(figure, "rate")


def forest() -> None:
    """The default comparison."""
    found = sukima.compare(runs=RUNS)
    block = next(b for section in document_of(found).sections for b in section.blocks if isinstance(b, Forest))
    figure, place = plt.subplots(figsize=(7, 4.6), layout="tight")
    plot_forest(block, place)
    save(figure, "forest")


def uncertainty() -> None:
    """A regression and its spread over masked passes."""
    torch.manual_seed(0)
    x = torch.rand(200, 1) * 4 - 2
    y = torch.sin(2 * x) + 0.1 * torch.randn_like(x)
    layers = [nn.Linear(1, 64), nn.ReLU(), st.Dropout(0.1), nn.Linear(64, 64), nn.ReLU(), st.Dropout(0.1)]
    model = nn.Sequential(*layers, nn.Linear(64, 1))
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(600):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
    grid = torch.linspace(-5, 5, 200)[:, None]
    found = st.predict(model, grid, samples=300)
    mean, spread = found.mean[:, 0], found.variance[:, 0].sqrt()
    figure, place = plt.subplots(figsize=(5.5, 3.2), layout="tight")
    place.fill_between(grid[:, 0], mean - 2 * spread, mean + 2 * spread, color=BLUE, alpha=0.2, lw=0)
    place.plot(grid, mean, color=BLUE, lw=2)
    place.plot(x, y, ".", color=ORANGE, ms=3)
    place.set(xlabel="input", ylabel="prediction ± 2 standard deviations")
    save(figure, "uncertainty")


def verdicts() -> None:
    """What diagnose says of two runs of the demo's network, and how it draws them."""
    arms = {
        "100 rows, no dropout, 120 epochs": (100, 120, 0.005, 0.0),
        "400 rows, dropout 0.5, 8 epochs": (400, 8, 0.001, 0.5),
    }
    judged = []
    for name, (rows, epochs, speed, rate) in arms.items():
        task = replace(sukima.demo_task(train_rows=rows), epochs=epochs, learning_rate=speed)
        recipes = {name: Recipe(rates={"1": rate, "3": rate}), "other": Recipe(rates={"1": 0.3, "3": 0.3})}
        history = sukima.compare(task, recipes, seeds=2, runs=RUNS, effects=False).arms[0].trials[0].history
        judged.append((sukima.diagnose(history, source=name), history))
    draw_verdicts(judged, HERE / "images" / "diagnose.svg")


def main() -> None:
    """All of them."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    mpl.rcParams |= {"svg.hashsalt": "sukima", "axes.spines.top": False, "axes.spines.right": False}
    for draw in (masks, uncertainty, overfitting, rate, forest, verdicts):
        draw()


if __name__ == "__main__":
    main()
