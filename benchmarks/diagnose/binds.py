"""What keeps the verdict from being right more often: ``python binds.py RUNS.jsonl [MORE.jsonl]``.

Judges that are told what no history holds, cross-validated over whole groups among the histories that may be fitted
on: the held-out curve itself, the reference's level, the untrained network's loss, and the future.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from fit import CONCLUSIONS, GROWTH, judged_by_trees, least_confidences, recalls, weights
from histories import Example, of_record
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GroupKFold, cross_val_predict
from truth import ERRORS, FLOOR, IMPROVEMENT, NO_GAP

from sukima.base.errors import InputError
from sukima.diagnosis.curves import curves_of
from sukima.diagnosis.features import pooled_features

TOLD = {
    "the history": (),
    "and the untrained network's loss": ("start",),
    "and the reference's level": ("reference",),
    "and the held-out curve": ("held out",),
    "and all three": ("start", "reference", "held out"),
    "and the future": ("future",),
}


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


def main(paths: list[Path]) -> None:
    table, told, truth, groups, clear = [], [], [], [], []
    for record in (json.loads(line) for path in paths for line in path.read_text().splitlines()):
        for example in of_record(record):
            try:
                fine = example.alike and not example.reported and judged_by_trees(example)
            except InputError:  # not one finite epoch
                continue
            if fine and len(record["held_out"]) >= example.history.epochs:
                table.append(pooled_features([curves_of(example.history)]))
                told.append(secrets(example, record))
                truth.append(CONCLUSIONS.index(example.truth))
                groups.append(example.group)
                clear.append(is_clear(example, record))
    answers, sure = np.array(truth), np.array(clear)
    print(f"{len(truth)} histories; balanced accuracy where it speaks, abstention, recalls of {', '.join(CONCLUSIONS)}")
    for name, keys in TOLD.items():
        beside = np.array([[value for key in keys for value in one[key]] for one in told]).reshape(len(told), -1)
        shares = cross_val_predict(
            HistGradientBoostingClassifier(**GROWTH),
            np.hstack([np.array(table), np.clip(beside, -20, 20)]),
            answers,
            groups=groups,
            cv=GroupKFold(5),
            method="predict_proba",
            params={"sample_weight": weights(answers)},
        )
        for chosen, label in ((np.full(len(sure), True), name), (sure, "  of these the clear ones")):
            if label != name and keys:
                continue
            said, most, of = shares.argmax(1), shares.max(1), answers[chosen]
            least = least_confidences(shares[chosen], of)
            spoken = (most >= least[said])[chosen]
            found = recalls(said[chosen], spoken, of)
            line = " ".join(f"{value:.2f}" for value in found)
            print(f"{label:34s} {found.mean():.3f}  {1 - spoken.mean():.3f}  {line}  ({len(of)})")


if __name__ == "__main__":
    main([Path(path) for path in sys.argv[1:]])
