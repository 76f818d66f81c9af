"""From features to probabilities of the verdicts: a small forest of decision trees, in ``forest.json``.

``benchmarks/diagnose/fit.py`` grows it, on networks whose truth is known. Trees rather than one formula: which signal
counts depends on the others (a gap means one thing at a low loss and another at a high one), and outside of what was
seen a tree stays at its outermost leaf.
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

__all__ = ["Forest", "Nodes", "forest", "probabilities"]

Indices = NDArray[np.int64]


class Nodes(msgspec.Struct, forbid_unknown_fields=True):
    """The file's content: all nodes of all trees in one row.

    Attributes:
        conclusions: what is told apart.
        features: names of the features.
        roots: first node of each tree.
        feature: index of the feature that a node asks for; -1 at a leaf.
        threshold: it goes left up to and with this value; at a leaf its row in ``shares``.
        left: the node that comes next on the left; on the right it is ``right``. At a leaf both are the leaf itself.
        right: see ``left``.
        shares: leaf × conclusion, in thousandths.
        sharpness: power of the probabilities that makes the stated confidence true on histories not fitted.
        least: confidence below which no conclusion is stated.
    """

    conclusions: list[Conclusion]
    features: list[str]
    roots: list[int]
    feature: list[int]
    threshold: list[float]
    left: list[int]
    right: list[int]
    shares: list[list[int]]
    sharpness: float
    least: float


@dataclass(frozen=True)
class Forest:
    """The nodes as arrays."""

    conclusions: tuple[Conclusion, ...]
    roots: Indices
    feature: Indices
    threshold: Array
    left: Indices
    right: Indices
    shares: Array
    sharpness: float
    least: float

    def leaves(self, features: Array) -> Indices:
        """The leaf that each tree ends at: all trees walk down together."""
        at = self.roots
        while (inner := self.feature[at] >= 0).any():
            goes_left = features[self.feature[at]] <= self.threshold[at]
            at = np.where(inner, np.where(goes_left, self.left[at], self.right[at]), at)
        return at


@cache
def forest() -> Forest:
    """The forest that comes with the package."""
    nodes = msgspec.json.decode(files("sukima.diagnosis").joinpath("forest.json").read_bytes(), type=Nodes)
    assert tuple(nodes.features) == FEATURES  # a forest for other features would be nonsense; fit.py writes both
    whole = (np.asarray(part, dtype=np.int64) for part in (nodes.roots, nodes.feature, nodes.left, nodes.right))
    roots, feature, left, right = whole
    return Forest(
        tuple(nodes.conclusions),
        roots,
        feature,
        np.asarray(nodes.threshold),
        left,
        right,
        np.asarray(nodes.shares, dtype=np.float64) / 1000,
        nodes.sharpness,
        nodes.least,
    )


def probabilities(features: Array) -> dict[Conclusion, float]:
    """Probability of each conclusion, each as likely as another before the curves were seen."""
    trees = forest()
    leaves = trees.threshold[trees.leaves(features)].astype(np.int64)
    shares = trees.shares[leaves].mean(axis=0) ** trees.sharpness
    return dict(zip(trees.conclusions, (shares / shares.sum()).tolist(), strict=True))
