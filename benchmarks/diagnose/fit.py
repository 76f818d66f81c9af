"""Grow the trees of the verdict: ``python fit.py RUNS.jsonl [MORE.jsonl]`` writes ``trees.json`` into the package, and
``accuracy_trees.json``, for histories that hold accuracies and no losses, from the same networks.

Only groups with an even number, and networks that are only fitted on, are used; the sharpness and the least confidence
are chosen by cross-validation over whole groups among these, on histories that were drawn as the reported ones are.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from histories import Example, examples
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GroupKFold
from truth import TRUTHS

from sukima.diagnosis.curves import curves_of
from sukima.diagnosis.features import FEATURES, pooled_features
from sukima.diagnosis.model import Nodes
from sukima.diagnosis.signals.divergence import has_diverged
from sukima.diagnosis.verdict import SHORT
from sukima.records.verdict import Conclusion

CONCLUSIONS: tuple[Conclusion, ...] = TRUTHS
ABSTAIN = 0.12
"""Share of abstentions that the least confidences are set for; less than the 15 % that are allowed."""
GROWTH = {
    "max_iter": 80,
    "learning_rate": 0.06,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 150,
    "l2_regularization": 5,
    "max_features": 0.2,
    "early_stopping": False,
    "random_state": 0,
}
LEAST_CHANCE = 0.04
HOME = Path(__file__).parents[2] / "src/sukima/diagnosis"
GROWTHS = {
    "trees.json": GROWTH,
    "accuracy_trees.json": GROWTH | {"max_iter": 120, "learning_rate": 0.04, "min_samples_leaf": 300},
}
"""How each file's trees grow: accuracies of some hundred rows are noisy, and want smaller steps and larger leaves."""


def judged_by_trees(example: Example) -> bool:
    """Whether the trees have a say: not where divergence is plain, nor where the history is short."""
    run = curves_of(example.history)
    return run.lost is None and run.epochs >= SHORT and not has_diverged(run.train)


def weights(truth: np.ndarray) -> np.ndarray:
    """Every truth counts alike."""
    each = 1 / np.bincount(truth, minlength=len(CONCLUSIONS))
    found: np.ndarray = each[truth] / each[truth].mean()
    return found


def sharpened(shares: np.ndarray, power: float) -> np.ndarray:
    raised = shares**power
    return raised / raised.sum(1, keepdims=True)


def surprise(shares: np.ndarray, truth: np.ndarray) -> float:
    """Mean surprise at the truth, every truth counting alike."""
    return float(np.average(-np.log(shares[np.arange(len(truth)), truth] + 1e-3), weights=weights(truth)))


def recalls(said: np.ndarray, spoken: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The share of each truth that is recognised, where it speaks."""
    return np.array([(said == k)[spoken & (truth == k)].mean() for k in range(len(CONCLUSIONS))])


def least_confidences(shares: np.ndarray, truth: np.ndarray, abstain: float = ABSTAIN) -> np.ndarray:
    """The least confidence of each conclusion: from none on up, each time where abstaining gains most for its price."""
    said, sure = shares.argmax(1), shares.max(1)
    least = np.zeros(len(CONCLUSIONS))
    now = recalls(said, sure >= 0, truth).mean()
    while True:
        spoken = sure >= least[said]
        steps = []
        for k in range(len(CONCLUSIONS)):
            own = np.sort(sure[spoken & (said == k)])
            for count in (20, 60, 150):
                if len(own) > 2 * count:
                    raised = least.copy()
                    raised[k] = own[count]
                    gained = recalls(said, sure >= raised[said], truth).mean() - now
                    steps.append((gained / count, gained, raised))
        best = max(steps, key=lambda step: step[0], default=None)
        if best is None or best[1] <= 0 or np.mean(sure < best[2][said]) > abstain:
            return least
        least, now = best[2], now + best[1]


def nodes_of(grown: HistGradientBoostingClassifier, sharpness: float, least: np.ndarray) -> Nodes:
    """The trees as the package reads them."""
    begin = [round(float(score), 4) for score in grown._baseline_prediction.ravel()]
    bounds = [round(float(value), 3) for value in least]
    found = Nodes(list(CONCLUSIONS), list(FEATURES), begin, [], [], [], [], round(sharpness, 3), bounds)
    for tree in (tree for trees in grown._predictors for tree in trees):
        found.roots.append(len(found.feature))
        _append(found, tree.nodes, 0)
    return found


def _append(found: Nodes, nodes: np.ndarray, at: int) -> None:
    """A node and what hangs on it, left before right."""
    node, place = nodes[at], len(found.feature)
    leaf = bool(node["is_leaf"])
    found.feature.append(-1 if leaf else int(node["feature_idx"]))
    found.value.append(float(f"{node['value']:.3g}" if leaf else f"{node['num_threshold']:.5g}"))
    found.right.append(0)
    if not leaf:
        _append(found, nodes, int(node["left"]))
        found.right[place] = len(found.feature) - place
        _append(found, nodes, int(node["right"]))


@dataclass(frozen=True)
class Fitted:
    """What is fitted on: features, truths, groups, and whether they were drawn as those are that are reported on."""

    table: np.ndarray
    truth: np.ndarray
    chances: np.ndarray
    groups: np.ndarray
    alike: np.ndarray


def gather(paths: list[Path], *, accuracies_alone: bool = False) -> Fitted:
    """Measure the features of every history that may be fitted on."""
    told = [e for path in paths for e in examples(path, accuracies_alone=accuracies_alone)]
    found = [e for e in told if not e.reported and judged_by_trees(e)]
    return Fitted(
        np.array([pooled_features([curves_of(e.history)]) for e in found]),
        np.array([CONCLUSIONS.index(e.truth) for e in found]),
        np.array([e.chances for e in found]),
        np.array([e.group for e in found]),
        np.array([e.alike for e in found]),
    )


def grown(fitted: Fitted, inside: np.ndarray, growth: dict = GROWTH) -> HistGradientBoostingClassifier:
    """Trees from the histories at these places, each as many times as truths have a chance on it."""
    chances = np.where(fitted.chances[inside] >= LEAST_CHANCE, fitted.chances[inside], 0.0)
    row, truth = np.nonzero(chances)
    weight = (chances / chances.sum(0))[row, truth]  # every truth counts alike
    model = HistGradientBoostingClassifier(**growth)
    return model.fit(fitted.table[inside[row]], truth, sample_weight=weight / weight.mean())


def guessed(fitted: Fitted, growth: dict = GROWTH, folds: int = 5) -> np.ndarray:
    """Shares of the truths for every history, from trees that were grown without its group."""
    shares = np.zeros_like(fitted.chances)
    for inside, outside in GroupKFold(folds).split(fitted.table, groups=fitted.groups):
        shares[outside] = grown(fitted, inside, growth).predict_proba(fitted.table[outside])
    return shares


def grow(fitted: Fitted, growth: dict = GROWTH) -> Nodes:
    """Cross-validate, choose the sharpness and the least confidences, and grow the trees on everything."""
    print(f"{len(fitted.truth)} histories of {len(set(fitted.groups))} groups, truths {np.bincount(fitted.truth)}")
    guesses, truth = guessed(fitted, growth)[fitted.alike], fitted.truth[fitted.alike]
    power = float(min(np.linspace(0.5, 2, 31), key=lambda p: surprise(sharpened(guesses, p), truth)))
    shares = sharpened(guesses, power)
    said, least = shares.argmax(1), least_confidences(shares, truth)
    spoken = shares.max(1) >= least[said]
    found = recalls(said, spoken, truth)
    print(f"sharpness {power:.2f}; least confidences {np.round(least, 2)}; abstains on {1 - spoken.mean():.3f}")
    print(f"cross-validated recalls {np.round(found, 3)}, mean {found.mean():.3f}")
    return nodes_of(grown(fitted, np.arange(len(fitted.truth)), growth), power, least)


def main(paths: list[Path]) -> None:
    for name, growth in GROWTHS.items():
        fitted = gather(paths, accuracies_alone=name != "trees.json")
        home = HOME / name
        home.write_bytes(msgspec.json.encode(grow(fitted, growth)) + b"\n")
        print(f"{name}: {home.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main([Path(path) for path in sys.argv[1:]])
