"""What keeps the verdict from being right more often: ``python binds.py RUNS.jsonl [MORE.jsonl]``.

Judges that are told what no history holds, cross-validated over whole groups among the histories that may be fitted
on: the held-out curve itself, the reference's level, the untrained network's loss, the configuration, and the future.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from fit import CONCLUSIONS, GROWTHS, Fitted, guessed, judged_by_trees, least_confidences, recalls
from histories import Example, of_record, without_losses
from truth import ERRORS, FLOOR, IMPROVEMENT, NO_GAP

from sukima.base.errors import InputError
from sukima.diagnosis.curves import curves_of
from sukima.diagnosis.features import pooled_features

ALLOWED = 0.14
"""Share of abstentions that each judge may have."""
TOLD = {
    "the history": (),
    "and the untrained network's loss": ("start",),
    "and the reference's level": ("reference",),
    "and the held-out curve": ("held out",),
    "and the configuration": ("configuration",),
    "and the future": ("future",),
}
TOLD_ALONE = {name: TOLD[name] for name in ("the history", "and the held-out curve")}


def secrets(example: Example, record: dict) -> dict[str, list[float]]:
    """What the truth is made from and a history does not hold."""
    epochs = example.history.epochs
    width = max(1, epochs // 10)
    seen = np.array(record["held_out"][:epochs])
    fitted = float(np.mean(record["train_loss"][epochs - width : epochs]))
    windows = np.convolve(seen, np.ones(width) / width, "valid")
    end, rise = float(windows[-1]), float(windows[-1] - windows.min())
    later = record["held_out"][: 3 * epochs]
    return {
        "start": [fitted - record["start"]],
        "reference": [np.log(fitted / record["reference"])],
        "held out": [
            np.log(rise + 1e-3),
            rise / end,
            (end - fitted) / end,
            np.log(end),
            windows[len(windows) // 2] / end,
        ],
        "configuration": [
            *(float(np.log(record[name])) for name in ("rows", "validation_rows", "batch", "width", "learning_rate")),
            *(float(record[name]) for name in ("rate", "weight_decay", "depth")),
            float(record["optimizer"] == "adam"),
            min(1.0, 3 * record["epochs"] * record["drop_at"] / epochs),
        ],
        "future": [1 - float(np.mean(later[-width:])) / end if len(later) == 3 * epochs else np.nan],
    }


def is_clear(example: Example, record: dict) -> bool:
    """Whether the truth lies well off every edge of its definition that bears on it."""
    if example.truth == "diverged":
        return True
    known = secrets(example, record)
    epochs = example.history.epochs
    error = next((rest[0] for length, _, _, *rest in record["truths"] if length == epochs and rest), None)
    level = float(np.exp(known["held out"][3]))
    rise = known["held out"][1] * level
    if error is None or (rise > FLOOR / 2 and abs(rise - max(FLOOR, ERRORS * error)) < error):
        return False
    if example.truth == "overfitting":
        return True
    if abs(known["future"][0] - IMPROVEMENT) < IMPROVEMENT / 2:
        return False
    gap, above = known["held out"][2], known["reference"][0]
    return example.truth == "unfinished" or (abs(gap - NO_GAP) > NO_GAP / 4 and abs(above) > 0.1)


@dataclass
class Asked:
    """Features, truths and groups of the histories, what is kept from them, and which are clear."""

    table: list[np.ndarray] = field(default_factory=list)
    told: list[dict[str, list[float]]] = field(default_factory=list)
    truth: list[int] = field(default_factory=list)
    chances: list[tuple[float, ...]] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    clear: list[bool] = field(default_factory=list)


def gather(paths: list[Path], *, accuracies_alone: bool = False) -> Asked:
    """The histories that may be fitted on and were drawn as those are that are reported on."""
    asked = Asked()
    for record in (json.loads(line) for path in paths for line in path.read_text().splitlines()):
        for whole in of_record(record):
            if accuracies_alone and not whole.history.train_metric:
                continue
            example = replace(whole, history=without_losses(whole.history)) if accuracies_alone else whole
            try:
                fine = example.alike and not example.reported and judged_by_trees(example)
            except InputError:  # not one finite epoch
                continue
            if fine and len(record["held_out"]) >= example.history.epochs:
                asked.table.append(pooled_features([curves_of(example.history)]))
                asked.told.append(secrets(example, record))
                asked.truth.append(CONCLUSIONS.index(example.truth))
                asked.chances.append(example.chances)
                asked.groups.append(example.group)
                asked.clear.append(is_clear(example, record))
    return asked


def judge(asked: Asked, keys: tuple[str, ...], growth: dict) -> np.ndarray:
    """Shares of the truths from the features and what is told beside them, cross-validated."""
    beside = np.array([[value for key in keys for value in one[key]] for one in asked.told])
    told = np.clip(beside.reshape(len(asked.told), -1), -20, 20)
    table, truth = np.hstack([np.array(asked.table), told]), np.array(asked.truth)
    return guessed(
        Fitted(table, truth, np.array(asked.chances), np.array(asked.groups), np.full(len(truth), fill_value=True)),
        growth,
    )


def report(name: str, shares: np.ndarray, truth: np.ndarray) -> None:
    said, sure = shares.argmax(1), shares.max(1)
    spoken = sure >= least_confidences(shares, truth, ALLOWED)[said]
    found = recalls(said, spoken, truth)
    line = " ".join(f"{value:.2f}" for value in found)
    print(f"{name:34s} {found.mean():.3f}  {1 - spoken.mean():.3f}  {line}  ({len(truth)})", flush=True)


def main(paths: list[Path]) -> None:
    print(f"balanced accuracy where it speaks, abstention, recalls of {', '.join(CONCLUSIONS)}, histories")
    for heading, file, told in (("", "trees.json", TOLD), ("accuracies alone", "accuracy_trees.json", TOLD_ALONE)):
        asked = gather(paths, accuracies_alone=bool(heading))
        truth, clear = np.array(asked.truth), np.array(asked.clear)
        if heading:
            print(heading)
        for name, keys in told.items():
            shares = judge(asked, keys, GROWTHS[file])
            report(name, shares, truth)
            if not keys:
                report("  of these the clear ones", shares[clear], truth[clear])


if __name__ == "__main__":
    main([Path(path) for path in sys.argv[1:]])
