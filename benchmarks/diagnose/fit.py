"""Find the weights of the verdict: ``python fit.py RUNS.jsonl`` writes ``weights.json`` into the package.

Only groups with an even number are used; what is chosen beside the weights (strength of the penalty on them,
sharpness, least confidence) is chosen by cross-validation over whole groups among these.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from histories import Example, examples
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sukima.diagnosis.curves import curves_of
from sukima.diagnosis.features import FEATURES, pooled_features
from sukima.diagnosis.verdict import SHORT

CONCLUSIONS = ("healthy", "overfitting", "underfitting", "unfinished", "diverged")
STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0)
ABSTAIN = 0.13
"""Share of abstentions that the least confidence is set for; somewhat less than the 15 % that are allowed."""
HOME = Path(__file__).parents[2] / "src/sukima/diagnosis/weights.json"


def judged_by_weights(example: Example) -> bool:
    """Whether the weights have a say: not where a loss is lost or the history short."""
    run = curves_of(example.history)
    return run.lost is None and run.epochs >= SHORT


def classifier(strength: float):
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=5000, class_weight="balanced"))


def balanced_loss(shares: np.ndarray, truth: np.ndarray) -> float:
    """Mean surprise at the truth, every truth counting alike."""
    surprise = -np.log(shares[np.arange(len(truth)), truth] + 1e-12)
    return float(np.mean([surprise[truth == k].mean() for k in np.unique(truth)]))


def sharpened(shares: np.ndarray, factor: float) -> np.ndarray:
    scores = factor * np.log(shares + 1e-300)
    scores = np.exp(scores - scores.max(1, keepdims=True))
    return scores / scores.sum(1, keepdims=True)


def main(path: Path) -> None:
    fitted = [e for e in examples(path) if not e.reported and judged_by_weights(e)]
    table = np.array([pooled_features([curves_of(e.history)]) for e in fitted])
    truth = np.array([CONCLUSIONS.index(e.truth) for e in fitted])
    groups = np.array([e.group for e in fitted])
    folds = GroupKFold(8)
    guesses = {
        strength: cross_val_predict(classifier(strength), table, truth, groups=groups, cv=folds, method="predict_proba")
        for strength in STRENGTHS
    }
    best = min(STRENGTHS, key=lambda strength: balanced_loss(guesses[strength], truth))
    factor = min(np.linspace(0.5, 2, 31), key=lambda f: balanced_loss(sharpened(guesses[best], f), truth))
    sure = sharpened(guesses[best], factor).max(1)
    least = float(np.quantile(sure, ABSTAIN))
    steps = classifier(best).fit(table, truth)
    scaler, logistic = steps[0], steps[1]
    HOME.write_text(
        json.dumps(
            {
                "conclusions": CONCLUSIONS,
                "features": FEATURES,
                "mean": scaler.mean_.round(5).tolist(),
                "scale": scaler.scale_.round(5).tolist(),
                "weights": logistic.coef_.round(4).tolist(),
                "bias": logistic.intercept_.round(4).tolist(),
                "sharpness": round(float(factor), 3),
                "least": round(least, 4),
            },
            indent=1,
        )
        + "\n"
    )
    right = guesses[best].argmax(1) == truth
    spoken = sure >= least
    recalls = [right[spoken & (truth == k)].mean() for k in range(len(CONCLUSIONS))]
    print(
        f"{len(truth)} histories of {len(set(groups))} groups, truths {np.bincount(truth)};",
        f"C {best}, sharpness {factor:.2f}",
    )
    print(f"least confidence {least:.3f}; cross-validated recalls {np.round(recalls, 3)}, mean {np.mean(recalls):.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
