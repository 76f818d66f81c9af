"""From features to probabilities of the verdicts: small boosted decision trees, in ``trees.json``.

``benchmarks/diagnose/fit.py`` grows them, on networks whose truth is known. Trees rather than one formula: which signal
counts depends on the others (a gap means one thing at a low loss and another at a high one), and outside of what was
seen a tree stays at its outermost leaf. Accuracies without losses have trees of their own, ``accuracy_trees.json``: the
same feature says another thing of an error rate than of a loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec
import numpy as np
from numpy.typing import NDArray

from sukima.diagnosis.curves import Array
from sukima.diagnosis.features import FEATURES
from sukima.records.verdict import Conclusion

__all__ = ["Nodes", "Trees", "least_confidence", "probabilities", "trees"]

Indices = NDArray[np.int64]


class Nodes(msgspec.Struct, forbid_unknown_fields=True):
    """The file's content: all nodes of all trees in one row, each tree from its root down, left before right.

    Attributes:
        conclusions: what is told apart.
        features: names of the features.
        begin: score of each conclusion before any tree.
        roots: first node of each tree; the trees add to the conclusions in turn.
        feature: index of the feature that a node asks for; -1 at a leaf.
        value: it goes left up to and with this value; at a leaf what it adds to its conclusion's score.
        right: how many nodes further its right side begins; the left side is the next node. 0 at a leaf.
        sharpness: factor of the scores that makes the stated confidence true on histories not fitted.
        least: confidence below which a conclusion is not stated, by conclusion.
    """

    conclusions: list[Conclusion]
    features: list[str]
    begin: list[float]
    roots: list[int]
    feature: list[int]
    value: list[float]
    right: list[int]
    sharpness: float
    least: list[float]


@dataclass(frozen=True)
class Trees:
    """The nodes as arrays."""

    conclusions: tuple[Conclusion, ...]
    begin: Array
    roots: Indices
    feature: Indices
    value: Array
    right: Indices
    sharpness: float
    least: dict[Conclusion, float]

    def scores(self, features: Array) -> Array:
        """The score of each conclusion: all trees walk down together."""
        at = self.roots
        while (inner := self.feature[at] >= 0).any():
            goes_left = features[self.feature[at]] <= self.value[at]
            at = at + inner * np.where(goes_left, 1, self.right[at])
        total: Array = self.begin + self.value[at].reshape(-1, len(self.conclusions)).sum(axis=0)
        return total


@cache
def trees(*, accuracies_alone: bool = False) -> Trees:
    """The trees that come with the package; those for histories that hold accuracies and no losses if asked for."""
    name = "accuracy_trees.json" if accuracies_alone else "trees.json"
    nodes = msgspec.json.decode(files("sukima.diagnosis").joinpath(name).read_bytes(), type=Nodes)
    assert tuple(nodes.features) == FEATURES  # trees for other features would be nonsense; fit.py writes both
    roots, feature, right = (np.asarray(part, dtype=np.int64) for part in (nodes.roots, nodes.feature, nodes.right))
    return Trees(
        tuple(nodes.conclusions),
        np.asarray(nodes.begin),
        roots,
        feature,
        np.asarray(nodes.value),
        right,
        nodes.sharpness,
        dict(zip(nodes.conclusions, nodes.least, strict=True)),
    )


def probabilities(features: Array, *, accuracies_alone: bool = False) -> dict[Conclusion, float]:
    """Probability of each conclusion, each as likely as another before the curves were seen."""
    found = trees(accuracies_alone=accuracies_alone)
    scores = found.sharpness * found.scores(features)
    shares = np.exp(scores - scores.max())
    return dict(zip(found.conclusions, (shares / shares.sum()).tolist(), strict=True))


def least_confidence(conclusion: Conclusion, *, accuracies_alone: bool = False) -> float:
    """The confidence below which that conclusion is not stated: some are easier to be wrong about than others."""
    return trees(accuracies_alone=accuracies_alone).least[conclusion]
