"""Grow the forest of the verdict: ``python fit.py RUNS.jsonl`` writes ``forest.json`` into the package.

Only groups with an even number are used; the sharpness and the least confidence are chosen by cross-validation over
whole groups among these.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import numpy as np
from histories import Example, examples
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GroupKFold, cross_val_predict

from sukima.diagnosis.curves import curves_of
from sukima.diagnosis.features import FEATURES, pooled_features
from sukima.diagnosis.model import Nodes
from sukima.diagnosis.signals.divergence import has_diverged
from sukima.diagnosis.verdict import SHORT

CONCLUSIONS = ("healthy", "overfitting", "underfitting", "unfinished", "diverged")
ABSTAIN = 0.12
"""Share of abstentions that the least confidence is set for; a little less than the 15 % that are allowed."""
TREES = {"n_estimators": 80, "max_leaf_nodes": 32, "min_samples_leaf": 4, "max_features": 0.3, "random_state": 0}
HOME = Path(__file__).parents[2] / "src/sukima/diagnosis/forest.json"


def judged_by_forest(example: Example) -> bool:
    """Whether the forest has a say: not where divergence is plain, nor where the history is short."""
    run = curves_of(example.history)
    return run.lost is None and run.epochs >= SHORT and not has_diverged(run.train)


def surprise(shares: np.ndarray, truth: np.ndarray) -> float:
    """Mean surprise at the truth."""
    return float(-np.log(shares[np.arange(len(truth)), truth] + 1e-3).mean())


def sharpened(shares: np.ndarray, power: float) -> np.ndarray:
    raised = shares**power
    return raised / raised.sum(1, keepdims=True)


def nodes_of(grown: RandomForestClassifier, sharpness: float, least: float) -> Nodes:
    """The forest as the package reads it."""
    found = Nodes(list(CONCLUSIONS), list(FEATURES), [], [], [], [], [], [], sharpness, least)
    for estimator in grown.estimators_:
        tree, begin = estimator.tree_, len(found.feature)
        found.roots.append(begin)
        for node in range(tree.node_count):
            leaf = tree.children_left[node] < 0
            found.feature.append(-1 if leaf else int(tree.feature[node]))
            found.threshold.append(len(found.shares) if leaf else float(f"{tree.threshold[node]:.6g}"))
            found.left.append(begin + (node if leaf else int(tree.children_left[node])))
            found.right.append(begin + (node if leaf else int(tree.children_right[node])))
            if leaf:
                shares = np.zeros(len(CONCLUSIONS))
                shares[grown.classes_] = tree.value[node][0] / tree.value[node][0].sum()
                found.shares.append(np.round(1000 * shares).astype(int).tolist())
    return found


def main(path: Path) -> None:
    fitted = [e for e in examples(path) if not e.reported and judged_by_forest(e)]
    table = np.array([pooled_features([curves_of(e.history)]) for e in fitted])
    truth = np.array([CONCLUSIONS.index(e.truth) for e in fitted])
    groups = np.array([e.group for e in fitted])
    grower = RandomForestClassifier(class_weight="balanced", **TREES)
    guesses = cross_val_predict(grower, table, truth, groups=groups, cv=GroupKFold(8), method="predict_proba")
    power = min(np.linspace(0.5, 3, 51), key=lambda p: surprise(sharpened(guesses, p), truth))
    sure = sharpened(guesses, power).max(1)
    least = float(np.quantile(sure, ABSTAIN))
    nodes = nodes_of(grower.fit(table, truth), round(float(power), 3), round(least, 4))
    HOME.write_bytes(msgspec.json.encode(nodes) + b"\n")
    right = guesses.argmax(1) == truth
    recalls = [right[(sure >= least) & (truth == k)].mean() for k in range(len(CONCLUSIONS))]
    print(f"{len(truth)} histories of {len(set(groups))} groups, truths {np.bincount(truth)}; sharpness {power:.2f}")
    print(f"least confidence {least:.3f}; cross-validated recalls {np.round(recalls, 3)}, mean {np.mean(recalls):.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
