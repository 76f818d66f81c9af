"""Train the networks of this benchmark: ``python generate.py RUNS.jsonl --count 1600 --seconds 3600``.

Resumable: configurations that the file has are not trained again. About half a second a network on one core.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from configuration import GROUP, Configuration, configuration
from datasets import load
from training import Run, train
from truth import truth

CURVES = ("train_loss", "running_loss", "validation_loss", "train_metric", "running_metric", "validation_metric")
GENEROUS = (
    {"architecture": "mlp", "width": 128, "depth": 1, "rate": 0.4},
    {"architecture": "cnn", "width": 96, "depth": 1, "rate": 0.4},
    {"architecture": "rnn", "width": 64, "depth": 1, "rate": 0.2},
)


def reference(data: str, wrong_labels: float) -> float:
    """The lowest held-out loss of several generous networks trained on all training rows."""
    rows = load(data)
    best = float("inf")
    for number, choice in enumerate(GENEROUS):
        if (choice["architecture"] == "cnn" and len(rows.shape) < 3) or (
            choice["architecture"] == "rnn" and not rows.classes
        ):
            continue
        c: Configuration = replace(
            configuration(10**6 + number),
            **{**choice, "data": data, "wrong_labels": wrong_labels, "weight_decay": 0.01, "optimizer": "adam"},
            learning_rate=0.002,
            drop_at=0.7,
            rows=len(rows.inputs) - rows.held_out - 100,
            validation_rows=100,
            batch=64,
        )
        epochs = 200 if not rows.classes else 40 if len(rows.inputs) < 3000 else 12
        best = min(best, float(train([c], epochs)[0].held_out.mean(1).min()))
    return best


def record(c: Configuration, run: Run, level: float) -> dict[str, object]:
    """What is kept of a run: the curves of E epochs, the mean held-out curve, and the truths of its histories."""
    return {
        **asdict(c),
        "reference": level,
        "start": run.start,
        "held_out": _rounded(run.held_out.mean(1)),
        **{name: _rounded(getattr(run, name)[: c.epochs]) for name in CURVES},
        "truths": [
            [
                epochs,
                *truth(run.train_loss, run.validation_loss, run.held_out, epochs, start=run.start, reference=level),
            ]
            for epochs in c.lengths
        ],
    }


def _rounded(values: np.ndarray) -> list[float]:
    return [float(f"{value:.4g}") for value in values]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--first", type=int, default=0, help="number of the first configuration, a multiple of 16")
    parser.add_argument("--count", type=int, default=1600)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    np.seterr(all="ignore")
    began = time.perf_counter()
    levels_path = wanted.path.with_suffix(".references.json")
    levels: dict[str, float] = json.loads(levels_path.read_text()) if levels_path.exists() else {}
    done: set[int] = set()
    if wanted.path.exists():
        done = {json.loads(line)["number"] for line in wanted.path.read_text().splitlines()}
    for first in range(wanted.first, wanted.first + wanted.count, GROUP):
        members = [configuration(first + i) for i in range(GROUP)]
        together = [members] if members[0].architecture == "mlp" else [[c] for c in members]
        for group in together:
            if group[-1].number in done:
                continue
            if time.perf_counter() - began > wanted.seconds:
                return
            for c in group:
                if (key := f"{c.data} {c.wrong_labels}") not in levels:
                    levels[key] = reference(c.data, c.wrong_labels)
                    levels_path.write_text(json.dumps(levels, indent=1))
            runs = train(group, 3 * group[0].epochs)
            lines = [
                json.dumps(record(c, run, levels[f"{c.data} {c.wrong_labels}"]))
                for c, run in zip(group, runs, strict=True)
            ]
            with wanted.path.open("a") as file:
                file.write("".join(line + "\n" for line in lines))


if __name__ == "__main__":
    main()
